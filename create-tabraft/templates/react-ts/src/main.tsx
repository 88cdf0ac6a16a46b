import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { useCommand, useLeader, useNode, usePresence, useRaft } from 'tabraft/react';
import './style.css';
import { enterRoom, me, type Room, SEATS, toggle } from './theatre';

function App() {
  const { node, error } = useNode('front-row', enterRoom);
  return (
    <>
      <h1>Seats</h1>
      {error !== undefined ? (
        <p role="alert">{String(error)}</p>
      ) : node === undefined ? (
        <p>opening the room</p>
      ) : (
        <Theatre room={node} />
      )}
    </>
  );
}

function Theatre({ room }: { readonly room: Room }) {
  const { isLeader } = useLeader(room);
  const [others] = usePresence(room);
  return (
    <>
      <p>
        You are {me}. {others.length} others are here; {isLeader ? 'this tab leads' : 'another tab leads'}.
      </p>
      <div className="seats">
        {SEATS.map((seat) => (
          <Seat key={seat} room={room} seat={seat} />
        ))}
      </div>
      <p>
        <a href={room.roomLink} target="_blank" rel="noopener">
          Open another tab (this link lets others in)
        </a>
      </p>
    </>
  );
}

function Seat({ room, seat }: { readonly room: Room; readonly seat: string }) {
  const holder = useRaft(room, (seats) => seats[seat]);
  const { run, error } = useCommand(() => toggle(room, seat));
  return (
    <div>
      <button type="button" disabled={holder !== undefined && holder !== me} onClick={() => void run()}>
        {seat}: {holder === me ? 'yours' : (holder ?? 'free')}
      </button>
      {error instanceof Error ? <p role="alert">{error.message}</p> : null}
    </div>
  );
}

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
