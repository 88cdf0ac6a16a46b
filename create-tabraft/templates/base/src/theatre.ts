import { defineStateMachine, raft } from 'tabraft';

export const SEATS = ['A1', 'A2', 'A3', 'B1', 'B2', 'B3'];
/** Who this tab is, for the others. */
export const me = `guest ${crypto.randomUUID().slice(0, 4)}`;

/** Who has which seat. Every tab applies the same commands in the same order, so all agree on who was first. */
export const theatre = defineStateMachine<Record<string, string>>()({
  initial: () => ({}),
  commands: {
    book: (seats, { seat, name }: { seat: string; name: string }) => (seats[seat] ??= name),
    release: (seats, { seat, name }: { seat: string; name: string }) => {
      if (seats[seat] === name) delete seats[seat];
    },
  },
});

/** The room of the page's own link (`node.roomLink`); without one, the room that this site keeps for the name. */
export const enterRoom = () => raft.enter('front-row', theatre, { name: me });
export type Room = Awaited<ReturnType<typeof enterRoom>>;

/** Asks for a seat, or gives it back. Throws what there is to say about it. */
export async function toggle(room: Room, seat: string): Promise<void> {
  if (room.expected.peek((seats) => seats[seat]) === me) {
    await room.optimistic({ type: 'release', seat, name: me }).done;
    return;
  }
  const holder = await room.optimistic({ type: 'book', seat, name: me }).done;
  if (holder !== me) throw new Error(`${holder} was first at ${seat}`);
}
