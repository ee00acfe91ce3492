// A TCP port that leads to another one, or nowhere while it is closed: a foreign node's RPC as an operator sees it
// go away and come back.
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

export type Forwarder = {
  readonly url: string;
  readonly open: () => Promise<void>;
  /** Refuses new connections and cuts those there are. */
  readonly close: () => Promise<void>;
};

/** `port` should be free; it is not listened on until `open`. */
export function forwarder(port: number, target: string): Forwarder {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((inside) => {
    const outside = connect(Number(targetPort), hostname);
    keep(inside);
    keep(outside);
    inside.pipe(outside).pipe(inside);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    open: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
