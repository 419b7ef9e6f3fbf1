/** What the kernel said when it was asked to load the guard. */
export type LoadReply =
  | { state: 'loaded' }
  | { state: 'not-installed'; python: string }
  | { state: 'failed'; message: string };

const SOURCE = `
import binascii, json, sys
from importlib.util import find_spec
try:
    if find_spec('secure_ml_ext') is None:
        reply = {'state': 'not-installed', 'python': sys.executable or 'python'}
    else:
        if 'secure_ml_ext' not in shell.extension_manager.loaded:
            shell.extension_manager.load_extension('secure_ml_ext')
        reply = {'state': 'loaded'}
except BaseException as error:
    reply = {'state': 'failed', 'message': type(error).__name__ + ': ' + str(error)[:500]}
reply = binascii.hexlify(json.dumps(reply).encode()).decode()
`;

/**
 * The expression that loads the guard.
 *
 * It is evaluated as a user expression, in a namespace of its own, so that it
 * leaves no name behind, counts no execution and prints nothing.
 */
export const LOAD_EXPRESSION = `(lambda scope: (exec(${JSON.stringify(
  SOURCE
)}, scope), scope['reply'])[1])({'shell': get_ipython()})`;

/**
 * Read the `repr` of the expression's value: a quoted string of hex digits.
 */
export function readLoadReply(repr: string | null): LoadReply {
  const hex = /^'([0-9a-f]*)'$/.exec(repr ?? '')?.[1];
  if (hex !== undefined) {
    try {
      const bytes = new Uint8Array(
        (hex.match(/../g) ?? []).map(pair => parseInt(pair, 16))
      );
      return JSON.parse(new TextDecoder().decode(bytes)) as LoadReply;
    } catch {
      // Fall through: a reply that cannot be read is a failure with its own words.
    }
  }
  return { state: 'failed', message: 'The kernel gave no readable answer.' };
}

/**
 * The command that installs the guard into the kernel's own environment.
 */
export function installCommand(python: string): string {
  const quoted = /^[\w./\\:-]+$/.test(python) ? python : `"${python}"`;
  return `${quoted} -m pip install secure_ml_ext`;
}
