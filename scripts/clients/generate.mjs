// TypeScript clients of both contracts, from schemas/ into generated/. Not in git: they follow the schemas.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import codegen from "@cosmwasm/ts-codegen";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
for (const old of ["generated/", "build/"]) rmSync(here(old), { recursive: true, force: true });
await codegen.default({
  contracts: ["market", "registry"].map((name) => ({ name, dir: here(`../../schemas/${name}/`) })),
  outPath: here("generated/"),
  options: {
    bundle: { enabled: false },
    types: { enabled: true },
    // The registry has a message and a query named bond: what sends does not extend what asks.
    client: { enabled: true, execExtendsQuery: false },
    messageComposer: { enabled: true },
    reactQuery: { enabled: false },
    recoil: { enabled: false },
  },
});
// What is generated imports without file extensions, so tsc compiles to CommonJS.
mkdirSync(here("build/"));
writeFileSync(here("build/package.json"), '{ "type": "commonjs" }\n');
