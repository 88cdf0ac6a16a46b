/**
 * `npm run lock` after changing a dependency: completes package-lock.json. npm leaves out optional packages for other platforms
 * that its registry (a mirror) does not hold, and then `npm ci` refuses the lock. An entry without a digest puts them back.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

/** The platform is in the package's name: `name-os-cpu[-libc]`. */
function platformOf(name) {
  const [, os, cpu, libc] = /(android|darwin|freebsd|linux|win32)-(arm64|arm|x64)(?:-(musl|gnu))?$/.exec(name) ?? [];
  if (!os) throw new Error(`Which platform is ${name} for? Add it to package-lock.json by hand.`);
  return { os: [os], cpu: [cpu], ...(libc ? { libc: [libc === 'gnu' ? 'glibc' : libc] } : {}) };
}

const { packages } = lock;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (packages[`node_modules/${name}`] || packages[`${path}/node_modules/${name}`]) continue;
    console.log(`adding ${name} ${version}`);
    packages[`node_modules/${name}`] = { version, optional: true, ...(dev ? { dev } : {}), ...platformOf(name) };
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
