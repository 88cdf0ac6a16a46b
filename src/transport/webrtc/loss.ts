/** Fewer checks than this tell nothing, and the last is left out: it may still be on its way. One comes every few seconds. */
const REQUESTS_MIN = 8;

/**
 * How much is lost on a connection, from the checks that WebRTC makes all the time to see whether it still stands: requests without a
 * response, over the last few of them. The channel itself repeats what is lost and does not tell.
 */
export class LossMeter {
  #requests = 0;
  #responses = 0;
  #loss: number | undefined;

  /** 0 to 1; undefined until enough was sent, or where the environment does not count. */
  async read(connection: Pick<RTCPeerConnection, 'getStats'>): Promise<number | undefined> {
    const pair = pairInUse(await connection.getStats());
    if (pair === undefined) return undefined;
    const sent = pair.requests - this.#requests;
    // Fewer than before: another pair of addresses is in use, which counts anew.
    if (sent >= 0 && sent < REQUESTS_MIN) return this.#loss;
    const answered = pair.responses - this.#responses;
    this.#requests = pair.requests;
    this.#responses = pair.responses;
    if (sent >= 0) this.#loss = Math.min(1, Math.max(0, 1 - answered / (sent - 1)));
    return this.#loss;
  }
}

function pairInUse(stats: RTCStatsReport): { readonly requests: number; readonly responses: number } | undefined {
  let found: { readonly requests: number; readonly responses: number } | undefined;
  stats.forEach((entry: Readonly<Record<string, unknown>>) => {
    if (entry['type'] !== 'candidate-pair' || entry['nominated'] !== true || entry['state'] !== 'succeeded') return;
    const { requestsSent, consentRequestsSent, responsesReceived } = entry;
    if (typeof requestsSent !== 'number' || typeof responsesReceived !== 'number') return;
    found = {
      requests: requestsSent + (typeof consentRequestsSent === 'number' ? consentRequestsSent : 0),
      responses: responsesReceived,
    };
  });
  return found;
}
