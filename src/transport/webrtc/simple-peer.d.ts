/** The part of simple-peer 9.11 that is used. The prebuilt file: the package's own entry does not run in a browser bundle. */
declare module 'simple-peer/simplepeer.min.js' {
  interface SimplePeerOptions {
    readonly initiator: boolean;
    readonly trickle: boolean;
    readonly objectMode: boolean;
    readonly config: RTCConfiguration;
    readonly wrtc: object;
  }
  class SimplePeer {
    constructor(options: SimplePeerOptions);
    readonly bufferSize: number;
    /** Private, but the only way to hear that it has drained without going through timers, which a hidden page slows to 1 Hz. */
    readonly _channel: RTCDataChannel | null;
    /** Private: for its statistics. */
    readonly _pc: RTCPeerConnection | null;
    /** Private: the channel has said that it is open, which may come after the first message. */
    readonly _channelReady: boolean;
    on(event: 'signal' | 'data' | 'error', listener: (value: unknown) => void): this;
    on(event: 'iceStateChange', listener: (connection: RTCIceConnectionState, gathering: RTCIceGatheringState) => void): this;
    on(event: 'connect' | 'close', listener: () => void): this;
    signal(data: object): void;
    send(frame: Uint8Array): void;
    destroy(error?: Error): void;
  }

  export { SimplePeer as default };
}
