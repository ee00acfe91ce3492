// Nothing in libp2p reconnects by itself: one endless loop per known peer, with back-off and jitter.
import { peerIdFromString } from "@libp2p/peer-id";
import type { Multiaddr } from "@multiformats/multiaddr";
import { multiaddr } from "@multiformats/multiaddr";
import type { Libp2p } from "libp2p";
import { Failure } from "../failure.ts";
import type { Log } from "../ports.ts";
import { sleep } from "./clock.ts";

export type Target = { readonly peerId: string; readonly address: Multiaddr };

const delayMsMin = 200;
const delayMsMax = 10_000;
/** A dial that takes longer has failed, ms. */
export const dialMsMax = 10_000;
/** How often a loop looks whether its peer is still there; a disconnect wakes it at once. */
const lookMs = 5_000;

/** A peer's multiaddr; throws Failure "bad-address" unless it is one that ends in /p2p/<peer id>. */
export function parsePeer(text: string): Target {
  const match = /\/p2p\/([A-Za-z0-9]+)$/.exec(text);
  try {
    if (match?.[1] === undefined) throw new Error("it must end in /p2p/<peer id>");
    return { peerId: peerIdFromString(match[1]).toString(), address: multiaddr(text) };
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new Failure("bad-address", `${text} is no peer address: ${reason}`, { cause });
  }
}

/** Whom to dial, and where. */
export type Dialler = {
  /**
   * Dials the peer, whenever it is not connected, at `addresses` besides its fixed ones until this is called again; with
   * none of either no more. Addresses that are new are tried at once.
   */
  readonly keep: (peerId: string, addresses: readonly string[]) => void;
  readonly stop: () => void;
};

/** `fixed` targets are dialled from now on. */
export function dialler(node: Libp2p, fixed: readonly Target[], log: Log): Dialler {
  const stopping = new AbortController();
  const loops = new Map<string, { readonly name: string; readonly over: AbortController }>();
  const keep: Dialler["keep"] = (peerId, more) => {
    const own = fixed.filter((one) => one.peerId === peerId).map(({ address }) => address);
    const learned = more.map((text) => multiaddr(text).encapsulate(`/p2p/${peerId}`));
    const addresses = [...own, ...learned];
    const name = addresses.join();
    const before = loops.get(peerId);
    if (name === (before?.name ?? "") || stopping.signal.aborted) return;
    before?.over.abort();
    loops.delete(peerId);
    if (addresses.length === 0) return;
    const over = new AbortController();
    loops.set(peerId, { name, over });
    const signal = AbortSignal.any([stopping.signal, over.signal]);
    loop(node, peerId, addresses, signal, log).catch(() => undefined);
  };
  for (const { peerId } of fixed) keep(peerId, []);
  return { keep, stop: () => stopping.abort() };
}

async function loop(
  node: Libp2p,
  peerId: string,
  addresses: Multiaddr[],
  stop: AbortSignal,
  log: Log,
): Promise<void> {
  let delayMs = delayMsMin;
  const pause = async (): Promise<void> => {
    await sleep(delayMs * (0.5 + Math.random()), stop);
    delayMs = Math.min(delayMs * 2, delayMsMax);
  };
  while (!stop.aborted) {
    if (isConnected(node, peerId)) {
      await lostOr(node, peerId, stop);
      // A connection that lasted clears the delay; one that the peer closes at once (its port is closed to
      // us) does not. The jitter keeps two sides that lose one connection from dialling in step.
      if (isConnected(node, peerId)) delayMs = delayMsMin;
      else await pause();
      continue;
    }
    try {
      await node.dial(addresses, {
        signal: AbortSignal.any([stop, AbortSignal.timeout(dialMsMax)]),
      });
    } catch (error) {
      log.debug("dial failed", { peer: peerId, error });
      await pause();
    }
  }
}

function isConnected(node: Libp2p, peerId: string): boolean {
  return node.getConnections(peerIdFromString(peerId)).length > 0;
}

/** Resolves when the peer disconnects, when it is time to look again, or when stopped. */
function lostOr(node: Libp2p, peerId: string, stop: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const onDisconnect = ({ detail }: { detail: { toString: () => string } }): void => {
    if (detail.toString() === peerId) woken.abort();
  };
  node.addEventListener("peer:disconnect", onDisconnect);
  return sleep(lookMs, AbortSignal.any([stop, woken.signal])).finally(() =>
    node.removeEventListener("peer:disconnect", onDisconnect),
  );
}
