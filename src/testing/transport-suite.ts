/**
 * The acceptance suite of a transport adapter: what the runtime needs of links, as named cases that any runner can run.
 *
 *     for (const { name, run } of transportSuite({ create: () => webrtcTransport() })) test(name, run);
 */
import type { NodeId } from '../core/types.ts';
import type { Transport } from '../transport/transport.ts';
import { linkCases } from './transport-suite/link-cases.ts';
import { messageCases } from './transport-suite/message-cases.ts';
import { SuiteRoom, type TransportCaseBody } from './transport-suite/room.ts';

export interface TransportSuiteOptions {
  /** A new adapter for a node, not started. Adapters of one suite can reach each other. */
  create(id: NodeId): Transport;
  /** Where ids cannot be made up: the id of a new node. */
  readonly newId?: (() => Promise<NodeId>) | undefined;
  /** How long a case waits for something to happen before it fails. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface TransportCase {
  readonly name: string;
  /** Rejects when the adapter does not keep the promise that the name states. */
  run(): Promise<void>;
}

export function transportSuite(options: TransportSuiteOptions): readonly TransportCase[] {
  const all: readonly (readonly [string, TransportCaseBody])[] = [...linkCases, ...messageCases];
  return all.map(([name, body]) => ({
    name,
    run: async () => {
      const room = new SuiteRoom(options, options.timeoutMs ?? 10_000);
      try {
        await body(room);
      } finally {
        await room.end();
      }
    },
  }));
}
