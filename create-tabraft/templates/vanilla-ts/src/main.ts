import { feed, leaderOf, presenceOf, stateOf } from 'tabraft/signals';
import './style.css';
import { enterRoom, me, SEATS, toggle } from './theatre';

const element = <E extends HTMLElement>(selector: string): E => {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`The page has no ${selector}.`);
  return found;
};
const say = (error: unknown = '') => {
  element('[role=alert]').textContent = error instanceof Error ? error.message : String(error);
};

async function main(): Promise<void> {
  const room = await enterRoom();
  for (const seat of SEATS) {
    const button = element('#seats').appendChild(document.createElement('button'));
    button.onclick = () => {
      say();
      toggle(room, seat).catch(say);
    };
    // Shows at once what this tab's clicks are expected to do; it is taken back if the cluster decides otherwise.
    feed(
      stateOf(room, (seats) => seats[seat]),
      (holder) => {
        button.textContent = `${seat}: ${holder === me ? 'yours' : (holder ?? 'free')}`;
        button.disabled = holder !== undefined && holder !== me;
      },
    );
  }
  feed(presenceOf(room), (others) => {
    element('#here').textContent = `You are ${me}. ${others.length} others are here; `;
  });
  feed(leaderOf(room), ({ isLeader, leaderId }) => {
    element('#leader').textContent = isLeader ? 'this tab leads.' : leaderId ? 'another tab leads.' : 'nobody leads yet.';
  });
  const invite = element<HTMLAnchorElement>('#invite');
  invite.href = room.roomLink ?? '';
  invite.hidden = room.roomLink === undefined;
  await room.ready;
}

main().catch(say);
