/** Whose limits a connection counts against: the address behind the proxies that are trusted, and for IPv6 its network. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { RaftError } from '../src/core/errors.ts';

/**
 * IPv4 as it is, IPv6 by its /64: whoever has one address of such a network has all 2^64 of them. An IPv4 address in IPv6 form is
 * the IPv4 address. What is no address is a key of its own.
 */
export function limitKey(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end stands for two groups; it is never within the first four unless zeros are before it.
  const groups = after.length + (plain.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - groups);
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The proxies whose X-Forwarded-For is believed. */
export class Proxies {
  readonly #trusted = new BlockList();
  readonly #any: boolean;

  /** @param list addresses, networks (10.0.0.0/8), or `loopback`. Errors: invalid-argument. */
  constructor(list: readonly string[]) {
    this.#any = list.length > 0;
    for (const one of list) this.#add(one);
  }

  has(address: string): boolean {
    const plain = limitKeyless(address);
    return this.#any && isIP(plain) !== 0 && this.#trusted.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  }

  /** The last address on the way here that is no trusted proxy: everything before it may be invented. */
  addressOf(request: IncomingMessage): string {
    let address = request.socket.remoteAddress ?? '';
    if (!this.has(address)) return address;
    const header = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map(withoutPort);
    for (const hop of hops.reverse()) {
      if (isIP(hop) === 0) break;
      address = hop;
      if (!this.has(hop)) break;
    }
    return address;
  }

  #add(one: string): void {
    if (one === 'loopback') {
      this.#trusted.addSubnet('127.0.0.0', 8, 'ipv4');
      this.#trusted.addAddress('::1', 'ipv6');
      return;
    }
    const [address = '', bits] = one.split('/');
    const kind = isIPv4(address) ? 'ipv4' : 'ipv6';
    const bitsMax = kind === 'ipv4' ? 32 : 128;
    const length = bits === undefined ? bitsMax : Number(bits);
    if (isIP(address) === 0 || !/^\d+$/.test(bits ?? '0') || length > bitsMax)
      throw new RaftError('invalid-argument', `${one} is neither an address nor a network like 10.0.0.0/8, nor "loopback".`);
    this.#trusted.addSubnet(address, length, kind);
  }
}

function limitKeyless(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
}

/** Some proxies add the port: 192.0.2.1:1234 or [2001:db8::1]:1234. */
function withoutPort(hop: string): string {
  const text = hop.trim();
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}
