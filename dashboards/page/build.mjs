// Bundles the page into dist/: index.html, and assets/ whose names hold a hash of what is in them.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts", "src/theme.ts", "src/style.css"],
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  // no modules: theme.js must run before the first paint, and each file stands alone
  format: "iife",
  target: "es2022",
  metafile: true,
  logLevel: "warning",
});

const names = new Map();
for (const [file, { entryPoint, bytes }] of Object.entries(metafile.outputs)) {
  const name = path.basename(file);
  if (entryPoint !== undefined) names.set(path.basename(entryPoint), name);
  console.log(`${name}  ${(bytes / 1024).toFixed(1)} KiB`);
}

const template = await readFile(path.join(root, "src/index.html"), "utf8");
const page = template.replaceAll(/\{\{(.+?)\}\}/g, (_, entry) => {
  const name = names.get(entry);
  if (name === undefined) throw new Error(`src/index.html asks for ${entry}, which was not built`);
  return `/assets/${name}`;
});
await writeFile(path.join(dist, "index.html"), page);
