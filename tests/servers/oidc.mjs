// A provider of identities made of `oidc-provider`, and a person at it. See `oidc` beside this.
const [action, ...words] = process.argv.slice(2);
await { serve, login }[action](...words);

async function serve(redirect) {
  const http = await import("node:http");
  const { default: Provider } = await import("oidc-provider");
  console.info = console.warn = () => {};
  const server = http.createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "rookery",
        client_secret: "s".repeat(32),
        redirect_uris: [redirect],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    cookies: { keys: ["k"] },
    features: { devInteractions: { enabled: true } },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.org`, email_verified: true }),
    }),
  });
  server.on("request", provider.callback());
  process.stdin.resume().on("end", () => process.exit(0));
  console.log(`ISSUER=${issuer}`);
}

async function login(start, subject) {
  const redirect = new URL(start).searchParams.get("redirect_uri");
  const jar = new Map();
  const go = async (url, more = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", ...more, headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      jar.set(name, value);
    }
    return answer;
  };
  let url = start;
  for (let step = 0; step < 12; step++) {
    let answer = await go(url);
    if (answer.status === 200) {
      const page = await answer.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(page)[1];
      const action = new URL(/action="([^"]+)"/.exec(page)[1], url);
      const fields = prompt === "login" ? { prompt, login: subject, password: "x" } : { prompt };
      answer = await go(action, { method: "POST", body: new URLSearchParams(fields) });
    }
    url = new URL(answer.headers.get("location"), url).href;
    if (url.startsWith(redirect)) return console.log(url);
  }
  throw new Error(`no way back: ${url}`);
}
