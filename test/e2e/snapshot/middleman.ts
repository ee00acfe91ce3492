// A peer of a joining node that has nothing itself: it hands questions on the stream `sync` to a real node, and the
// answers back, as a hostile or lazy server would.
import type { NetworkId } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import { startLog } from "@causeway/primitives/adapters/log";
import { startP2p } from "@causeway/primitives/adapters/p2p";
import type { SyncMessage } from "../../../chain-core/src/snapshot/message.ts";
import {
  encodeSync,
  parseSync,
  syncMessageSizeMax,
} from "../../../chain-core/src/snapshot/message.ts";
import { freshSecret } from "../../../deploy/devnet/keys.ts";

export type Middleman = {
  /** For others' peers. */
  readonly address: string;
  /** Its own question to the node behind it: whether a snapshot is offered there. */
  readonly isOffered: () => boolean;
  readonly chunks: () => number;
  readonly close: () => Promise<void>;
};

/** `change` is what becomes of an answer; undefined: nothing comes. */
export async function middleman(
  network: NetworkId,
  node: string,
  change: (answer: SyncMessage, chunks: number) => SyncMessage | undefined,
): Promise<Middleman> {
  const nodeId = node.slice(node.lastIndexOf("/") + 1);
  let asker: string | undefined;
  let offered = false;
  let chunks = 0;
  const onMessage = (from: string, bytes: Uint8Array): void => {
    const message = parseSync(bytes);
    // Addresses would lead the joining node past us.
    if (isRejected(message) || message.kind.startsWith("addresses")) return;
    if (from !== nodeId) {
      asker = from;
      p2p.send(nodeId, "sync", bytes);
      return;
    }
    if (message.kind === "offers") offered = message.manifests.length > 0;
    if (message.kind === "chunk") chunks += 1;
    const answer = change(message, chunks);
    if (asker !== undefined && answer !== undefined) p2p.send(asker, "sync", encodeSync(answer));
  };
  const p2p = await startP2p({
    secret: freshSecret(),
    networkId: network,
    listen: { host: "127.0.0.1", port: 0 },
    peers: [node],
    protocols: [{ name: "sync", maxBytes: syncMessageSizeMax, onMessage }],
    topics: {},
    oneMachine: true,
    log: startLog("middleman", "silent"),
  });
  return {
    address: p2p.address,
    isOffered: () => {
      p2p.send(nodeId, "sync", encodeSync({ kind: "offersRequest" }));
      return offered;
    },
    chunks: () => chunks,
    close: p2p.close,
  };
}

/** The answer with one bit of a chunk turned. */
export function flipped(answer: SyncMessage): SyncMessage {
  if (answer.kind !== "chunk" || answer.chunk.length === 0) return answer;
  const chunk = Uint8Array.from(answer.chunk);
  const middle = chunk.length >> 1;
  chunk[middle] = (chunk[middle] ?? 0) ^ 1;
  return { ...answer, chunk };
}
