/** Networks in which WebRTC connects nobody: the signaling server carries the frames, sealed. */
import { agreed, expect, FORMING_MS, formed, test } from './cluster.ts';

test('tabs that WebRTC cannot connect are linked through the server, and say so', async ({ profile, url }) => {
  const context = await profile.context();
  await context.addInitScript(() => {
    const Real = globalThis.RTCPeerConnection;
    // Candidates of a TURN server only, and there is none: a network without UDP.
    globalThis.RTCPeerConnection = class extends Real {
      constructor(configuration?: RTCConfiguration) {
        super({ ...configuration, iceServers: [], iceTransportPolicy: 'relay' });
      }
    };
    // As if the tabs were on two devices.
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
  });
  const tabs = await formed(profile, url, 2);
  const [first, second] = tabs;
  if (first === undefined || second === undefined) throw new Error('no tabs');
  expect(await first.add('over the server')).toBe(1);
  await expect.poll(() => second.items(), { timeout: FORMING_MS }).toEqual(['over the server']);
  for (const tab of tabs) {
    const links = (await tab.status())?.peers.map(({ link, linkKind }) => `${link} ${linkKind}`);
    expect(links).toEqual(['open relay']);
  }
  await agreed(tabs, 2);
});
