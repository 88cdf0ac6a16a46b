/** What the command line says, and what is wrong with it in a sentence. */
import { parseArgs } from 'node:util';

/** The templates, and what each is made with. */
export const TEMPLATES = { 'vanilla-ts': 'TypeScript, no framework', 'react-ts': 'React', 'vue-ts': 'Vue' };
export const DEFAULT_TEMPLATE = 'vanilla-ts';
export const DEFAULT_FOLDER = 'tabraft-app';

export const HELP = `usage: npm create tabraft [folder] -- [--template NAME] [--start]

Makes an application whose tabs are one cluster, with its signaling server, in a new folder (default ${DEFAULT_FOLDER}).

  --template NAME  ${Object.entries(TEMPLATES)
    .map(([name, what]) => `${name} (${what})`)
    .join(', ')}; default ${DEFAULT_TEMPLATE}
  --start          installs it and starts it as well
  --help           this text
  --version        the version of this command`;

/** What cannot be done as it was asked for: its message is all that is shown. */
export class Refusal extends Error {}

const OPTIONS = {
  template: { type: 'string', short: 't' },
  start: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
};

/** Throws a Refusal. */
export function read(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Refusal(`${error.message.split('\n')[0]} See --help.`);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1)
    throw new Refusal(`One folder, please: ${positionals.join(', ')} are ${positionals.length}. See --help.`);
  const { template = DEFAULT_TEMPLATE } = values;
  if (!Object.hasOwn(TEMPLATES, template))
    throw new Refusal(`There is no template ${JSON.stringify(template)}. Templates: ${Object.keys(TEMPLATES).join(', ')}.`);
  const [folder = DEFAULT_FOLDER] = positionals;
  if (folder === '') throw new Refusal('The folder has no name. See --help.');
  return { folder, template, start: values.start === true, help: values.help === true, version: values.version === true };
}
