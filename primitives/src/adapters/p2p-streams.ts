// Lasting direct streams: one that we open and write per (peer, protocol), and those that others open to
// us, which we read. Every length is bounded before it is read, every write has a deadline, every queue an end.
import { peerIdFromString } from "@libp2p/peer-id";
import { lpStream } from "@libp2p/utils";
import type { Libp2p } from "libp2p";
import { bigEndian, fromBigEndian } from "../bytes.ts";
import type { Log } from "../ports.ts";
import { sleep } from "./clock.ts";

/** A peer that does not read blocks the writer for ever (building-blocks 1). */
const writeMsMax = 10_000;
const openMsMax = 5_000;
const retryMsMin = 100;
const retryMsMax = 5_000;
/** A queue holds this many messages, and this many times the protocol's largest message in bytes. */
const queueCountMax = 4_096;
const queueSizeFactor = 4;
/** Small messages that wait together leave in one write of about this many bytes. */
const writeSize: number = 64 * 1024;
/** Streams of one protocol that one connection may open to us: the old one may linger while a new one opens. */
const inboundStreamsMax = 4;

type Stream = Awaited<ReturnType<Libp2p["dialProtocol"]>>;

/**
 * A length of exactly four big-endian bytes: with the default varint a peer that only sends ff is collected
 * without end, because lpStream checks the length of a length after it could be decoded.
 */
function framing(maxBytes: number): NonNullable<Parameters<typeof lpStream>[1]> {
  return {
    maxDataLength: maxBytes,
    maxBufferSize: maxBytes + 4 * 1024 * 1024,
    maxLengthLength: 4,
    lengthEncoder: (length) => bigEndian(length, 4),
    lengthDecoder: (data) => {
      if (data.byteLength < 4) throw new RangeError("more bytes needed");
      return Number(fromBigEndian(data.subarray(0, 4)));
    },
  };
}

type Queue = {
  waiting: Uint8Array[];
  size: number;
  dropped: number;
  wake: () => void;
  readonly gone: AbortController;
};

/** A direct protocol under its full name; `onMessage` as in {@link import("./p2p.ts").Protocol}. */
export type StreamProtocol = {
  readonly fullName: string;
  readonly maxBytes: number;
  readonly onMessage: (peer: string, message: Uint8Array) => void;
};

export type DirectStreams = {
  /** False when the peer is not connected. Asserts the size. */
  readonly send: (peer: string, protocol: string, message: Uint8Array) => boolean;
  readonly forget: (peer: string) => void;
  readonly close: () => void;
};

/** `protocols` by short name; `connected`: the ids of the peers that are, now and later. */
export async function directStreams(
  node: Libp2p,
  protocols: ReadonlyMap<string, StreamProtocol>,
  connected: ReadonlySet<string>,
  log: Log,
): Promise<DirectStreams> {
  const queues = new Map<string, Map<string, Queue>>();
  for (const protocol of protocols.values())
    await node.handle(
      protocol.fullName,
      (stream, connection) => read(stream, connection.remotePeer.toString(), protocol, log),
      { maxInboundStreams: inboundStreamsMax, maxOutboundStreams: inboundStreamsMax },
    );

  const queueOf = (peer: string, name: string, protocol: StreamProtocol): Queue => {
    const ofPeer = queues.get(peer) ?? new Map<string, Queue>();
    queues.set(peer, ofPeer);
    const known = ofPeer.get(name);
    if (known !== undefined) return known;
    const queue: Queue = {
      waiting: [],
      size: 0,
      dropped: 0,
      wake: () => undefined,
      gone: new AbortController(),
    };
    ofPeer.set(name, queue);
    serve(node, peer, protocol, queue, log).catch((error: unknown) =>
      log.error("direct stream failed", { peer, name, error }),
    );
    return queue;
  };
  const forget = (peer: string): void => {
    for (const queue of queues.get(peer)?.values() ?? []) {
      queue.gone.abort();
      queue.wake();
    }
    queues.delete(peer);
  };
  return {
    send: (peer, name, message) => {
      const protocol = protocols.get(name);
      if (protocol === undefined || message.length > protocol.maxBytes)
        throw new RangeError(`${name}: no such protocol, or ${message.length} bytes are too many`);
      if (!connected.has(peer)) return false;
      enqueue(queueOf(peer, name, protocol), message, queueSizeFactor * protocol.maxBytes);
      return true;
    },
    forget,
    close: () => {
      for (const peer of [...queues.keys()]) forget(peer);
    },
  };
}

function enqueue(queue: Queue, message: Uint8Array, sizeMax: number): void {
  queue.waiting.push(message);
  queue.size += message.length;
  while (queue.waiting.length > queueCountMax || queue.size > sizeMax) {
    queue.size -= queue.waiting.shift()?.length ?? 0;
    queue.dropped += 1;
  }
  queue.wake();
}

/** Opens a stream when there is something to say, and again when it broke, while the peer is connected. */
async function serve(
  node: Libp2p,
  peer: string,
  protocol: StreamProtocol,
  queue: Queue,
  log: Log,
): Promise<void> {
  let retryMs = retryMsMin;
  while (!queue.gone.signal.aborted) {
    if (queue.waiting.length === 0) {
      await woken(queue);
      continue;
    }
    try {
      const signal = AbortSignal.any([queue.gone.signal, AbortSignal.timeout(openMsMax)]);
      const stream = await node.dialProtocol(peerIdFromString(peer), protocol.fullName, { signal });
      await write(stream, protocol, queue, () => {
        retryMs = retryMsMin;
      });
    } catch (error) {
      if (!queue.gone.signal.aborted)
        log.debug("direct stream broke", { peer, protocol: protocol.fullName, error });
    }
    if (queue.dropped > 0) {
      log.warn("messages to a slow peer dropped", { peer, count: queue.dropped });
      queue.dropped = 0;
    }
    await sleep(retryMs, queue.gone.signal);
    retryMs = Math.min(2 * retryMs, retryMsMax);
  }
}

async function write(
  stream: Stream,
  protocol: StreamProtocol,
  queue: Queue,
  onWritten: () => void,
): Promise<void> {
  stream.addEventListener("close", () => queue.wake());
  const lp = lpStream(stream, framing(protocol.maxBytes));
  try {
    while (!queue.gone.signal.aborted && stream.status === "open") {
      if (queue.waiting.length === 0) {
        await woken(queue);
        continue;
      }
      const batch = take(queue);
      try {
        await lp.writeV(batch, {
          signal: AbortSignal.any([queue.gone.signal, AbortSignal.timeout(writeMsMax)]),
        });
        onWritten();
      } catch (cause) {
        queue.waiting = [...batch, ...queue.waiting]; // the next stream says it again
        queue.size += batch.reduce((size, message) => size + message.length, 0);
        throw cause;
      }
    }
  } finally {
    stream.abort(new Error("closed"));
  }
}

function take(queue: Queue): Uint8Array[] {
  let count = 0;
  let size = 0;
  for (const message of queue.waiting) {
    if (count > 0 && size + message.length > writeSize) break;
    count += 1;
    size += message.length;
  }
  queue.size -= size;
  return queue.waiting.splice(0, count);
}

function woken(queue: Queue): Promise<void> {
  return new Promise((resolve) => {
    queue.wake = resolve;
  });
}

async function read(
  stream: Stream,
  peer: string,
  protocol: StreamProtocol,
  log: Log,
): Promise<void> {
  const lp = lpStream(stream, framing(protocol.maxBytes));
  let error: unknown;
  try {
    for (;;) {
      const message = (await lp.read()).subarray();
      try {
        protocol.onMessage(peer, message);
      } catch (cause) {
        log.error("message handler failed", { peer, protocol: protocol.fullName, error: cause });
        break;
      }
    }
  } catch (cause) {
    error = cause;
  }
  log.debug("inbound stream ended", { peer, protocol: protocol.fullName, error });
  stream.abort(new Error("closed"));
}
