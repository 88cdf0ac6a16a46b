/** PORT: a line between two threads. What is posted arrives at the other end whole and in order, as a structured clone, or the line is dead. */
export interface Line {
  post(message: unknown): void;
  /** Called once; what has arrived before is told then. */
  listen(onMessage: (message: unknown) => void): void;
  close(): void;
}

/** The part of a MessagePort, or of a worker's global scope, that is used. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  start?(): void;
  close?(): void;
}

export function portLine(port: Port): Line {
  return {
    post: (message) => port.postMessage(message),
    listen(onMessage) {
      port.addEventListener('message', ({ data }) => onMessage(data));
      port.start?.();
    },
    close: () => port.close?.(),
  };
}
