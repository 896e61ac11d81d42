// Writes golden.ts: every golden frame as a value that has to be of its type. A field that the types do
// not know, one that they want and the frame has not, or a wrong kind of value does not compile.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const folder = process.argv[2];
const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
const lines = ['import type * as Types from "./ts/index";', ""];
for (const name of names) {
  const { json: frame } = JSON.parse(await readFile(join(folder, name), "utf8"));
  lines.push(`// ${name}`, `(${JSON.stringify(frame)}) satisfies ${kind(name, frame)};`);
}
await writeFile("golden.ts", lines.join("\n") + "\n");
console.log(`golden.ts: ${names.length} frames`);

function kind(name, frame) {
  if (name.startsWith("command.")) {
    return `Types.Command<${JSON.stringify(frame.op)}>`;
  }
  if (name.startsWith("event.")) {
    return `Extract<Types.ServerEvent, { ev: ${JSON.stringify(frame.ev)} }>`;
  }
  if ("err" in frame) {
    return "Types.Reply";
  }
  // reply.room_opened.json holds a RoomOpened.
  const shape = name.split(".")[1].replace(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
  return `{ id: number; ok: Types.${shape} }`;
}
