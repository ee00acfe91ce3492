// Linux network namespaces for processes of a test: each has an address of its own on one bridge, any two can be
// parted, and where the kernel has netem their links delay and lose. Needs root and iproute2.
import { execFileSync } from "node:child_process";

/** `blocker` says in a sentence why there are none. */
export type Support =
  | { readonly namespaces: true; readonly netem: boolean; readonly blocker?: string }
  | { readonly namespaces: false; readonly netem: false; readonly blocker: string };

export type Namespaces = {
  readonly addresses: readonly string[];
  /** What to put before a command so that it runs in namespace `i`. */
  readonly before: (i: number) => readonly string[];
  /** From now on the groups hear nothing of each other; the test still hears all. */
  readonly part: (one: readonly number[], other: readonly number[]) => void;
  readonly heal: () => void;
  readonly remove: () => void;
};

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function sentence(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message: string };
  return (stderr?.toString() || message).trim().split("\n")[0] ?? "";
}

/** Tries it out, and leaves nothing behind. */
export function probe(): Support {
  const name = `cw${process.pid}probe`;
  try {
    ip("netns", "add", name);
  } catch (error) {
    return {
      namespaces: false,
      netem: false,
      blocker: `no network namespaces here (${sentence(error)})`,
    };
  }
  try {
    ip("netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms");
    return { namespaces: true, netem: true };
  } catch (error) {
    return {
      namespaces: true,
      netem: false,
      blocker: `no netem in this kernel (${sentence(error)})`,
    };
  } finally {
    ip("netns", "del", name);
  }
}

/** `shape`: arguments of netem for each link, for instance ["delay", "50ms", "10ms"]. */
export function createNamespaces(count: number, shape: readonly string[]): Namespaces {
  const id = process.pid % 100_000;
  const net = `10.213.${process.pid % 250}`;
  const bridge = `cwb${id}`;
  const name = (i: number): string => `cw${id}n${i}`;
  const address = (i: number): string => `${net}.${i + 2}`;
  const all = Array.from({ length: count }, (_, i) => i);
  const within = (i: number, ...args: readonly string[]): void =>
    ip("netns", "exec", name(i), ...args);
  const remove = (): void => {
    for (const i of all) attempt(() => ip("netns", "del", name(i)));
    attempt(() => ip("link", "del", bridge));
  };
  const apart: [number, number][] = [];
  try {
    ip("link", "add", "name", bridge, "type", "bridge");
    ip("addr", "add", `${net}.1/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
    for (const i of all) {
      ip("netns", "add", name(i));
      ip("link", "add", `cw${id}h${i}`, "type", "veth", "peer", "name", "eth0", "netns", name(i));
      ip("link", "set", `cw${id}h${i}`, "master", bridge, "up");
      within(i, "ip", "addr", "add", `${address(i)}/24`, "dev", "eth0");
      for (const device of ["lo", "eth0"]) within(i, "ip", "link", "set", device, "up");
      if (shape.length > 0)
        within(i, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", ...shape);
    }
  } catch (error) {
    remove();
    throw new Error(`network namespaces: ${sentence(error)}`, { cause: error });
  }
  return {
    addresses: all.map(address),
    before: (i) => ["ip", "netns", "exec", name(i)],
    part: (one, other) => {
      for (const [a, b] of one.flatMap((a) => other.map((b) => [a, b] as const)))
        for (const pair of [[a, b] as const, [b, a] as const]) {
          within(pair[0], "ip", "route", "add", "blackhole", `${address(pair[1])}/32`);
          apart.push([...pair]);
        }
    },
    heal: () => {
      for (const [a, b] of apart.splice(0))
        within(a, "ip", "route", "del", "blackhole", `${address(b)}/32`);
    },
    remove,
  };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Not there, or gone with its namespace.
  }
}
