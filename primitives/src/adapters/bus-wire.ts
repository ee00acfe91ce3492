// Frames between the bus and its clients on the Unix socket: u32 length big-endian, then one container.
import type { Socket } from "node:net";
import type { Codec } from "../codec.ts";
import { ByteListType, ContainerType, codec, u8, u64 } from "../codec.ts";
import { isRejected } from "../failure.ts";
import type { BusTopic } from "../ports.ts";
import { messageSizeMax, nameSizeMax } from "./bus-log.ts";

export const busTopics: readonly BusTopic[] = ["hints", "requests", "broadcasts"];

/**
 * publish and published carry the client's own number in `sequence`; deliver and acknowledge the message's.
 * subscribe names the subscriber; deliver and acknowledge repeat it.
 */
export const frameKinds = {
  publish: 1,
  published: 2,
  subscribe: 3,
  unsubscribe: 4,
  deliver: 5,
  acknowledge: 6,
} as const;

export type Frame = {
  kind: number;
  topic: number;
  sequence: number;
  name: Uint8Array;
  message: Uint8Array;
};

const frameCodec: Codec<Frame> = codec(
  "bus frame",
  new ContainerType({
    kind: u8,
    topic: u8,
    sequence: u64,
    name: new ByteListType(nameSizeMax),
    message: new ByteListType(messageSizeMax),
  }),
  messageSizeMax + 256,
);

export function sendFrame(socket: Socket, frame: Partial<Frame> & { kind: number }): void {
  const empty = new Uint8Array(0);
  const bytes = frameCodec.encode({ topic: 0, sequence: 0, name: empty, message: empty, ...frame });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  socket.cork();
  socket.write(length);
  socket.write(bytes);
  socket.uncork();
}

/** Calls `onFrame` for each; a frame that is too long or malformed destroys the socket. */
export function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let offset = 0;
    while (rest.length - offset >= 4 && !socket.destroyed) {
      const length = rest.readUInt32BE(offset);
      if (length > frameCodec.sizeMax) return socket.destroy(new Error("bus frame too long"));
      if (rest.length - offset - 4 < length) break;
      // A copy: what SSZ gives back are views of its input.
      const frame = frameCodec.parse(
        Uint8Array.from(rest.subarray(offset + 4, offset + 4 + length)),
      );
      if (isRejected(frame) || frame.topic >= busTopics.length)
        return socket.destroy(new Error("bad bus frame"));
      onFrame(frame);
      offset += 4 + length;
    }
    rest = rest.subarray(offset);
    return undefined;
  });
}
