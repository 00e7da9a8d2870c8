/** Writes the reference of all settings, from the schema that reads them. `npm run docs`. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { configReference } from "../config/reference.ts";

const FILE = path.resolve(import.meta.dirname, "../../docs/config.md");

await writeFile(FILE, configReference());
