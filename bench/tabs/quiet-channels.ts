/**
 * Tabs of one browser have a shortcut, BroadcastChannel, and y-webrtc takes it instead of WebRTC. All contestants shall use
 * the links they would use between machines: the channels of yjs are deaf here. Must be imported before yjs is.
 */
const Native = globalThis.BroadcastChannel;

/** For the bench's own words between its tabs. */
export function channel(name: string): BroadcastChannel {
  return new Native(`bench-${name}`);
}

globalThis.BroadcastChannel = class extends Native {
  constructor(name: string) {
    super(`deaf-${name}-${Math.random()}`);
  }
};
