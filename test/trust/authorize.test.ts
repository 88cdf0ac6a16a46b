import { describe, expect, test } from 'vitest';
import type { ConfChange } from '../../src/core/types.ts';
import { type Authorize, adminsOnly, allOf, refusalOf, type TrustRequest } from '../../src/trust/authorize.ts';

const removalOf = (id: string): ConfChange => ({
  transition: 'auto',
  steps: [{ op: 'remove', id, context: undefined }],
  context: undefined,
});
const command: TrustRequest = { kind: 'command', command: { type: 'add' } };
const change: TrustRequest = { kind: 'change', change: removalOf('somebody') };
const leaving: TrustRequest = { kind: 'change', change: removalOf('me') };
const use: TrustRequest = { kind: 'trust', command: { kind: 'use', inviteId: '0'.repeat(32), node: 'n1' } };
const putOut: TrustRequest = { kind: 'trust', command: { kind: 'revoke-member', node: 'n1' } };
const yes: Authorize = () => true;

describe('roles', () => {
  test.each([
    ['voter', [command, change, leaving, use, putOut], []],
    ['learner', [command, leaving, use], [change]],
    ['reader', [leaving], [command, change, use, putOut]],
  ] as const)('a %s', (role, allowed, refused) => {
    for (const request of allowed) expect(refusalOf(undefined, { id: 'me', role }, request)).toBeUndefined();
    for (const request of refused) {
      // No hook of the application loosens it.
      expect(refusalOf(yes, { id: 'me', role }, request)?.code).toBe('not-authorized');
    }
  });

  test('who removes itself removes nobody else with it', () => {
    const both: ConfChange = { ...removalOf('me'), steps: [...removalOf('me').steps, ...removalOf('other').steps] };
    const settings: ConfChange = { ...removalOf('me'), context: new Uint8Array(1) };
    const empty: ConfChange = { ...removalOf('me'), steps: [] };
    for (const wrong of [both, settings, empty]) {
      expect(refusalOf(yes, { id: 'me', role: 'reader' }, { kind: 'change', change: wrong })?.code).toBe('not-authorized');
    }
  });
});

describe('the application’s hook', () => {
  const voter = { id: 'me', role: 'voter' } as const;

  test('refuses, throws, promises or answers nonsense: refused, with the same words everywhere', () => {
    expect(refusalOf(() => false, voter, command)?.code).toBe('not-authorized');
    const texts = ['a', 'b'].map((text) =>
      refusalOf(
        () => {
          throw new Error(text);
        },
        voter,
        command,
      ),
    );
    expect(texts.map((error) => error?.code)).toEqual(['not-authorized', 'not-authorized']);
    expect(texts[0]?.message).toBe(texts[1]?.message);
    for (const answer of [Promise.resolve(true), 1, 'yes', undefined, null, {}]) {
      expect(refusalOf((() => answer) as unknown as Authorize, voter, command)?.code).toBe('not-authorized');
    }
    expect(refusalOf(yes, voter, command)).toBeUndefined();
  });

  test('gets who asks and what for', () => {
    const asked: unknown[] = [];
    refusalOf((...all) => asked.push(all) > 0, voter, command);
    expect(asked).toEqual([[voter, command]]);
  });

  test('for admins: the others write, leave, and let in who was invited', () => {
    const hook = adminsOnly(['boss']);
    for (const request of [command, leaving, use]) expect(refusalOf(hook, voter, request)).toBeUndefined();
    for (const request of [change, putOut]) {
      expect(refusalOf(hook, voter, request)?.code).toBe('not-authorized');
      expect(refusalOf(hook, { ...voter, id: 'boss' }, request)).toBeUndefined();
    }
    expect(
      refusalOf(
        allOf(hook, () => false),
        voter,
        command,
      )?.code,
    ).toBe('not-authorized');
    expect(refusalOf(allOf(hook, yes), voter, command)).toBeUndefined();
  });
});
