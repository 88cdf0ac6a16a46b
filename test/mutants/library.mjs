// Faults of what stands around the engine: rehearsals, what is expected, presence, structures.

/** @type {readonly {readonly id: string, readonly file: string, readonly find: string, readonly replace: string, readonly breaks: string}[]} */
export const LIBRARY_MUTANTS = [
  // ---- the outbox
  m(
    'kept-sent-before-stored',
    'runtime/client/kept-write.ts',
    '    if (this.#placeOnDisk === data) return true;\n',
    '    if (data.length > 0) return true;\n',
    'a kept write is sent before its number is on disk: the next life sends it under another',
  ),
  m(
    'kept-number-not-given-back',
    'runtime/client/writes.ts',
    '    write.request.kept?.renumber();\n',
    '',
    'a kept write whose session expired stays on disk under its old number',
  ),
  m(
    'kept-end-told-early',
    'runtime/client/outbox.ts',
    "kept.onDisk === 'no' || result.kind !== 'failed' || result.error.mayHaveApplied",
    "kept.onDisk !== 'no' || result.kind !== 'failed' || result.error.mayHaveApplied",
    'a kept write is said to be off while the next life would still find it (A6)',
  ),
  m(
    'kept-waits-as-calls-do',
    'runtime/client/refusals.ts',
    'request.kept !== undefined || ',
    '',
    'a kept write ends when a leader cannot take it for now',
  ),
  m(
    'version-not-looked-at',
    'state/replicated-state.ts',
    'this.#effects.ofOthers(proposer) > envelope.ifVersion',
    'this.#effects.ofOthers(proposer) < 0',
    'a write with ifVersion is applied to whatever the state has become',
  ),
  m(
    'effects-not-in-snapshot',
    'state/replicated-state.ts',
    '    this.#effects.load(effects);\n',
    '',
    'after a snapshot ifVersion is judged otherwise than on the others',
  ),
  // ---- what is expected, presence, structures
  m(
    'rehearsal-moves-keys',
    'state/draft.ts',
    'size > ORDER_KEPT_MAX && this.#rehearsal === undefined ? []',
    'size > ORDER_KEPT_MAX ? []',
    'an optimistic write moves keys of a large Map on one member only: its digest differs',
  ),
  m(
    'rehearsal-shows-anew',
    'state/draft.ts',
    'for (const [container, shown] of rehearsal.shown) this.#publisher.putBack(container, shown);',
    '',
    'readers are shown what was only tried',
  ),
  m(
    'late-handler-changes-state',
    'state/draft.ts',
    "    if (!this.#isOpen) throw new TypeError('The handler has returned: what it changes later is in no command.');\n",
    '',
    'an async handler goes on changing one member after its command failed',
  ),
  m(
    'step-not-taken-back',
    'state/draft.ts',
    '      this.#undo.takeBack(before);\n',
    '',
    'an expected command that throws leaves half of itself in what is shown',
  ),
  m(
    'undo-puts-undefined',
    'state/undo-log.ts',
    '    if (before === ABSENT) target.delete(key);',
    '    if (before === ABSENT) target.set(key, undefined);',
    'a command that fails leaves the keys that it added',
  ),
  m(
    'check-past-the-key',
    'state/envelope.ts',
    '  readText();\n  return version;',
    '  return version;',
    'a leader appends what no member can read',
  ),
  m(
    'rehearsal-unlike-not-told',
    'state/rehearsal.ts',
    'else if (!sameValue(rehearsed.state, performed.state))',
    'else if (false)',
    'Math.random in a handler goes unnoticed',
  ),
  m(
    'optimistic-shown-twice',
    'runtime/node/optimistic.ts',
    '      expected.remove(write);\n',
    '',
    'a committed write is shown on top of itself, and never goes',
  ),
  m(
    'optimistic-no-reason',
    'runtime/node/optimistic.ts',
    "parts.emitter.emit('rollback', { id: this.id, command: write.told.command, error });",
    'undefined;',
    'what was rolled back is not said',
  ),
  m(
    'presence-never-forgotten',
    'runtime/watch/presence.ts',
    '      else if (other.data !== null && other.untilMs <= now) {',
    '      else if (false) {',
    'a frozen tab is typing for ever',
  ),
  m(
    'presence-of-strangers',
    'runtime/peers/inbox.ts',
    "  presence: { who: 'member', strikes: 0 },",
    "  presence: { who: 'stranger', strikes: 0 },",
    'whoever finds the room is shown in it',
  ),
  m(
    'presence-told-to-the-removed',
    'runtime/watch/presence.ts',
    "return peer.trusted && peer.link === 'open' && this.#isMember(peer.id);",
    "return peer.trusted && peer.link === 'open';",
    'who was removed goes on hearing what the others show',
  ),
  m(
    'presence-not-throttled',
    'runtime/watch/presence.ts',
    'if (waitMs <= 0) return this.#tellAll();',
    'if (waitMs <= TELL_EVERY_MS) return this.#tellAll();',
    'every move of a mouse is a message to everybody',
  ),
  m(
    'presence-not-said-again',
    'runtime/watch/presence.ts',
    'now - this.#toldAtMs >= AGAIN_MS',
    'now < 0',
    'who sits still is forgotten',
  ),
  m(
    'list-move-off-by-one',
    'structures/list.ts',
    'to > from ? to - 1 : to',
    'to',
    'an item that is moved down lands one place too far',
  ),
  m(
    'once-any-token',
    'structures/once.ts',
    "known?.kind !== 'claimed' || known.token !== requireWhole(token, 'token', 1)",
    "known?.kind !== 'claimed' || requireWhole(token, 'token', 1) < 1",
    'whoever is late writes over the result of the one who has the task now',
  ),
  m(
    'transaction-half',
    'structures/key-space.ts',
    'compare.every(',
    'compare.some(',
    'a transaction is done though one of its comparisons does not hold',
  ),
  m(
    'watch-misses-silently',
    'structures/key-space.ts',
    'history.length >= HISTORY_MAX && (history[0]?.revision ?? 0) > from',
    'history.length < 0',
    'a watcher that is far behind is not told that it has missed changes',
  ),
];

function m(id, file, find, replace, breaks) {
  return { id, file: `src/${file}`, find, replace, breaks };
}
