/** Seats in React: booked at once on the screen, decided by the cluster; who looks at which seat is shown. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { type RaftNode, raft } from 'tabraft';
import { useCommand, useLeader, useNode, usePending, usePresence, useRaft } from 'tabraft/react';
import { uniqueNames } from 'tabraft/structures';

const machine = uniqueNames();
type Node = RaftNode<ReturnType<typeof machine.initial>, typeof machine.commands, NonNullable<typeof machine.queries>>;
interface Looking {
  readonly seat: string;
}

const room = new URLSearchParams(location.search).get('room') ?? 'bookings';
const SEATS = ['A1', 'A2', 'A3', 'B1', 'B2', 'B3'];
const me = `guest ${Math.random().toString(36).slice(2, 6)}`;

function App() {
  const { node, error } = useNode('bookings', () => raft.enter(room, machine, { name: me }));
  if (error !== undefined) return <p role="alert">{String(error)}</p>;
  return node === undefined ? <p>opening</p> : <Theatre node={node} />;
}

function Theatre({ node }: { readonly node: Node }) {
  const { isLeader } = useLeader(node);
  const pending = usePending(node);
  const [others] = usePresence<Looking>(node);
  return (
    <>
      <p>
        You are {me}
        {isLeader ? ', and this tab leads' : ''}. {others.length} others are here. {pending.length > 0 ? 'Saving' : 'Saved'}.
      </p>
      {SEATS.map((seat) => (
        <Seat key={seat} node={node} seat={seat} />
      ))}
    </>
  );
}

function Seat({ node, seat }: { readonly node: Node; readonly seat: string }) {
  const owner = useRaft(node, (state) => state.owners.get(seat));
  const [others, show] = usePresence<Looking>(node);
  const lookers = others.filter(({ state }) => state?.seat === seat).map(({ name }) => name);
  const book = useCommand(async () => {
    const type = owner === me ? 'release' : 'claim';
    const isMine = await node.optimistic({ type, name: seat, owner: me }).done;
    if (!isMine) throw new Error(`${seat} was taken first by somebody else`);
  });
  return (
    <p onPointerEnter={() => show({ seat })} onPointerLeave={() => show(undefined)}>
      <button type="button" disabled={owner !== undefined && owner !== me} onClick={() => void book.run()}>
        {seat}: {owner === me ? 'yours' : (owner ?? 'free')}
      </button>{' '}
      {lookers.length > 0 ? `${lookers.join(', ')} looks at it` : ''}
      {book.error instanceof Error ? <span role="alert">{book.error.message}</span> : null}
    </p>
  );
}

createRoot(document.querySelector('#app') as Element).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
