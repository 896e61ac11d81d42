// Reads asyncapi.json with the parser of the AsyncAPI project. An error or a warning fails;
// a hint does not.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const WARNING = 1;

const text = await readFile(process.argv[2] ?? "asyncapi.json", "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const found = diagnostics.filter(({ severity }) => severity <= WARNING);
for (const { severity, code, path, message } of found) {
  console.error(`${severity === 0 ? "error" : "warning"} ${code} at ${path.join(".")}: ${message}`);
}
if (found.length > 0 || document === undefined) {
  process.exit(1);
}
const count = (list) => list.all().length;
console.log(`asyncapi.json: ${count(document.operations())} operations, ${count(document.messages())} messages`);
