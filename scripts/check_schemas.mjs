// Compiles the published schemas with Ajv in its strict mode: unknown keywords, unknown formats, types that are missing
// and keys that are required but not described are errors.
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const folder = new URL("../docs/schemas/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const checker = () => addFormats(new Ajv({ strict: true, allErrors: false }));

for (const name of ["events.json", "connectors.json"]) {
  const schema = read(name);
  if (!schema.$id) throw new Error(`${name} has no $id`);
  compile(name, checker(), schema);
}
const { components } = read("openapi.json");
for (const name of Object.keys(components.schemas)) {
  const root = { $id: `urn:airlock-messaging:openapi:${name}`, components, $ref: `#/components/schemas/${name}` };
  const ajv = checker();
  ajv.addVocabulary(["components"]);
  compile(`openapi.json ${name}`, ajv, root);
}

function compile(name, ajv, schema) {
  try {
    ajv.compile(schema);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
