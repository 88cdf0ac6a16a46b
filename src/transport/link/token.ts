/** A name that nobody else draws: 96 random bits. Not randomUUID, which exists only in secure contexts. */
export function randomToken(): string {
  return [...globalThis.crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
