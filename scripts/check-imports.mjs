/**
 * Refuses what the architecture does not allow: see docs/architecture.md, "Layers". Reads every package of a
 * workspace and prints one line for each finding: place, reason, remedy.
 *
 *   node scripts/check-imports.mjs [ROOT]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as boundaries from './lib/boundaries.mjs';
import { importsOf, lineOf, viewsOf } from './lib/source-text.mjs';

const scope = '@carillon/';

/** All findings of a workspace, as `{ place, reason, remedy }`, in the order of files. */
export function checkWorkspace(root) {
  const rootManifest = readManifest(root);
  const findings = [];
  const folder = join(root, 'packages');
  for (const name of readdirSync(folder).sort()) {
    if (!existsSync(join(folder, name, 'package.json'))) continue;
    findings.push(...checkPackage({ root, name, directory: join(folder, name), rootManifest }));
  }
  return findings;
}

function checkPackage({ root, name, directory, rootManifest }) {
  const findings = [];
  const report = (file, line, reason, remedy) =>
    findings.push({ place: `${relative(root, file).split(sep).join('/')}:${line}`, reason, remedy });
  if (!Object.hasOwn(boundaries.allowedImports, name)) {
    report(
      join(directory, 'package.json'),
      1,
      `package ${name} has no place in the map`,
      'add it to scripts/lib/boundaries.mjs',
    );
    return findings;
  }
  const manifest = readManifest(directory);
  const graph = new Map();
  const files = filesIn(directory);
  for (const file of files) {
    const source = readFileSync(file, 'utf8');
    const inSources = file.startsWith(join(directory, 'src') + sep);
    const context = { name, directory, file, inSources, manifest, rootManifest, report };
    const views = viewsOf(source);
    checkLength(source, context);
    const edges = [];
    for (const { specifier, line, typeOnly } of importsOf(views.code, views.bare)) {
      const target = checkImport(specifier, line, context);
      // A circle of types alone costs nothing at run time: a port and the records it speaks of.
      if (target !== undefined && !typeOnly) edges.push(target);
    }
    if (inSources) {
      graph.set(file, edges);
      checkUses(views.bare, context);
    }
  }
  for (const cycle of cyclesIn(graph)) {
    const path = cycle.map((file) => relative(join(directory, 'src'), file)).join(' → ');
    report(
      cycle[0],
      1,
      `files import each other in a circle: ${path}`,
      'move what both need to a file of its own',
    );
  }
  checkFolders(files, directory, report);
  return findings;
}

function checkLength(source, { file, report }) {
  const lines = source.split('\n').length - 1;
  const most = boundaries.maxFileLines;
  if (lines > most)
    report(file, most + 1, `${lines} lines, more than ${most}`, 'split the file by its nouns');
}

function checkFolders(files, directory, report) {
  const counts = new Map();
  for (const file of files.filter((path) => path.startsWith(join(directory, 'src') + sep))) {
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  const most = boundaries.maxFolderFiles;
  for (const [folder, count] of counts) {
    if (count > most)
      report(folder, 1, `${count} files in one folder, more than ${most}`, 'make a folder for each noun');
  }
}

/** Reports what is wrong with one import; answers the file it leads to when that is one of the same package. */
function checkImport(specifier, line, context) {
  const { file, directory } = context;
  if (!specifier.startsWith('.')) {
    checkPackageImport(specifier, line, context);
    return undefined;
  }
  const target = resolve(dirname(file), specifier);
  if (!target.startsWith(directory + sep)) {
    context.report(
      file,
      line,
      `${specifier} leads out of the package`,
      `import ${scope}NAME and use what it exports`,
    );
    return undefined;
  }
  if (context.inSources && !target.startsWith(join(directory, 'src') + sep)) {
    context.report(file, line, `${specifier} leads out of src`, 'sources import sources only');
    return undefined;
  }
  return [target.replace(/\.js$/, '.ts'), target].find(existsSync);
}

function checkPackageImport(specifier, line, context) {
  const { name, file, inSources, report } = context;
  const builtin = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtinModules.includes(builtin)) {
    if (!specifier.startsWith('node:'))
      report(file, line, `${specifier} without node:`, `write node:${specifier}`);
    const forbidden = (inSources ? boundaries.forbiddenBuiltins[name] : undefined) ?? [];
    if (forbidden.includes('*') || forbidden.includes(builtin)) {
      report(file, line, `${name} may not use ${specifier}`, boundaries.remedies[name]);
    }
    return;
  }
  const parts = specifier.split('/');
  const packageName = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  if (packageName.startsWith(scope)) checkBoundary(specifier, packageName, line, context);
  else if (!isDeclared(packageName, context)) {
    const remedy = `add ${packageName} to the dependencies of packages/${name}/package.json`;
    report(file, line, `${packageName} is not a declared dependency`, remedy);
  }
}

function checkBoundary(specifier, packageName, line, context) {
  const { name, file, inSources, manifest, report } = context;
  if (specifier !== packageName) {
    report(file, line, `deep import ${specifier}`, `export it from ${packageName} and import that`);
  }
  const target = packageName.slice(scope.length);
  const allowed = boundaries.allowedImports[name];
  if (inSources) {
    if (!allowed.includes(target)) {
      report(file, line, `${name} may not import ${packageName}`, boundaries.remedies[name]);
    } else if (!Object.hasOwn(manifest.dependencies ?? {}, packageName)) {
      const remedy = `add ${packageName} to the dependencies of packages/${name}/package.json`;
      report(file, line, `${packageName} is not a declared dependency`, remedy);
    }
    return;
  }
  const inTests = [name, ...allowed, ...boundaries.testImports, ...(boundaries.extraTestImports[name] ?? [])];
  if (!inTests.includes(target)) {
    const remedy = `tests of ${name} may import ${inTests.join(', ')}`;
    report(file, line, `tests of ${name} may not import ${packageName}`, remedy);
  }
}

/** Sources use what their package declares; tests also what the workspace declares for development. */
function isDeclared(packageName, { inSources, manifest, rootManifest }) {
  const declared = [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies];
  if (!inSources) declared.push(manifest.devDependencies, rootManifest.devDependencies);
  return declared.some((names) => names !== undefined && Object.hasOwn(names, packageName));
}

function checkUses(bare, { name, file, report }) {
  for (const { pattern, what, remedy } of boundaries.forbiddenUses[name] ?? []) {
    for (const match of bare.matchAll(pattern)) {
      report(file, lineOf(bare, match.index), `${name} may not use ${what}`, remedy);
    }
  }
}

/** One shortest-known circle for each group of files that reach each other, first file repeated at the end. */
export function cyclesIn(graph) {
  const cycles = [];
  const done = new Set();
  const path = [];
  const onPath = new Set();
  const visit = (file) => {
    if (onPath.has(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
    if (onPath.has(file) || done.has(file)) return;
    path.push(file);
    onPath.add(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    onPath.delete(file);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

function filesIn(directory) {
  return ['src', 'test']
    .map((folder) => join(directory, folder))
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((path) => join(folder, path)))
    .filter((path) => /(?<!\.d)\.[cm]?[jt]sx?$/.test(path) && !path.includes(`${sep}fixtures${sep}`))
    .sort();
}

function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');
  const findings = checkWorkspace(resolve(root));
  for (const { place, reason, remedy } of findings) console.error(`${place}: ${reason}. Remedy: ${remedy}.`);
  if (findings.length > 0) console.error(`${findings.length} boundary findings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
