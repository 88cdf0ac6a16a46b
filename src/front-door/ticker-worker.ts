/** The script of a worker that ticks: told a period in ms, it says so often that the time is up. */
interface TickerScope {
  onmessage: ((event: MessageEvent<number>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as TickerScope;
let timer: ReturnType<typeof setInterval> | undefined;
scope.onmessage = ({ data }) => {
  clearInterval(timer);
  if (data > 0) timer = setInterval(() => scope.postMessage(0), data);
};
