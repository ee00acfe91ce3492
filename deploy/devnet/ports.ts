// Free TCP ports on the loopback address. Production ports are base + 10 i (docs/SEAMS.md).
import { createServer } from "node:net";
import { Failure } from "@causeway/primitives";

export type OperatorPorts = {
  readonly nodeP2p: number;
  readonly nodeRpc: number;
  readonly signerP2p: number;
  readonly portal: number;
};

/**
 * Below the range from which the system gives ports to whoever connects (32,768 on Linux), and beginning elsewhere in
 * each process, so that two of them that start networks at once do not meet.
 */
const [lowest, highest] = [20_000, 32_000];
let next = lowest + ((process.pid * 41) % (highest - lowest));

/** `count` ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries === highest - lowest) throw new Failure("no-port", `no ${count} ports are free`);
    const port = next;
    next = next + 1 < highest ? next + 1 : lowest;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

export function operatorPorts(base: number, operator: number): OperatorPorts {
  const first = base + 10 * operator;
  return { nodeP2p: first, nodeRpc: first + 1, signerP2p: first + 2, portal: first + 3 };
}

/** Failure "port-in-use" that names every taken port. */
export async function assertFree(ports: readonly number[]): Promise<void> {
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  if (taken.length > 0)
    throw new Failure("port-in-use", `ports already in use: ${taken.join(", ")}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
