// Free TCP ports on the loopback address. Production ports are base + 10 i (docs/SEAMS.md).
import { createServer } from "node:net";
import { Failure } from "@causeway/primitives";

export type OperatorPorts = {
  readonly nodeP2p: number;
  readonly nodeRpc: number;
  readonly signerP2p: number;
  readonly portal: number;
};

/** `count` ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map(({ port }) => port);
  await Promise.all(servers.map(({ close }) => close()));
  return ports;
}

export function operatorPorts(base: number, operator: number): OperatorPorts {
  const first = base + 10 * operator;
  return { nodeP2p: first, nodeRpc: first + 1, signerP2p: first + 2, portal: first + 3 };
}

/** Failure "port-in-use" that names every taken port. */
export async function assertFree(ports: readonly number[]): Promise<void> {
  const taken: number[] = [];
  for (const port of ports) {
    try {
      await (await listen(port)).close();
    } catch {
      taken.push(port);
    }
  }
  if (taken.length > 0)
    throw new Failure("port-in-use", `ports already in use: ${taken.join(", ")}`);
}

function listen(port: number): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      resolve({
        port: bound,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}
