// What a joining node asks others on the direct stream `sync`: final headers at the ends of epochs, which snapshots
// they keep, and chunks. One byte of kind, then the SSZ bytes; everything is bounded before it is parsed.
import type { BadBytes, Codec, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  bool,
  ContainerType,
  codec,
  concat,
  isRejected,
  ListCompositeType,
  rejected,
  u8,
  u32,
  u64,
} from "@causeway/primitives";
import { certificateCodec, committeeCodec, headerCodec } from "../codec/block.ts";
import { addressesMax, addressSize } from "../peers/address.ts";
import type { Manifest } from "./chunks.ts";
import { chunkSizeMax, chunkType, manifestCodec, pathType } from "./chunks.ts";

/** Canonical bytes of a final header, its certificate and the committee that the header names as the next. */
export type Finality = { header: Uint8Array; certificate: Uint8Array; committee: Uint8Array };

export const finalitiesMax = 32;
const manifestsMax = 4;

export type SyncMessage =
  /** Last headers of epochs from height `from` on, or the header at exactly `from`. */
  | { readonly kind: "headersRequest"; readonly from: number; readonly exact: boolean }
  | { readonly kind: "headers"; readonly from: number; readonly headers: readonly Finality[] }
  /** The answer holds what a header committed to, newest first. */
  | { readonly kind: "offersRequest" }
  | { readonly kind: "offers"; readonly manifests: readonly Manifest[] }
  | { readonly kind: "chunkRequest"; readonly epoch: number; readonly index: number }
  /** An empty chunk: not, or no longer, to be had here. */
  | {
      readonly kind: "chunk";
      readonly epoch: number;
      readonly index: number;
      readonly chunk: Uint8Array;
      readonly path: readonly Uint8Array[];
    }
  /** Own listening port, 0 for none, in exchange for addresses. */
  | { readonly kind: "addressesRequest"; readonly port: number }
  | { readonly kind: "addresses"; readonly addresses: readonly Uint8Array[] };

const finalityType = new ContainerType({
  header: new ByteListType(headerCodec.sizeMax),
  certificate: new ByteListType(certificateCodec.sizeMax),
  committee: new ByteListType(committeeCodec.sizeMax),
});
const finalitySizeMax =
  headerCodec.sizeMax + certificateCodec.sizeMax + committeeCodec.sizeMax + 16;
/** As a node keeps it for every last block of an epoch. */
export const finalityCodec: Codec<Finality> = codec("finality", finalityType, finalitySizeMax);

const headersRequestCodec: Codec<{ from: number; exact: boolean }> = codec(
  "headers request",
  new ContainerType({ from: u64, exact: bool }),
  16,
);
const headersCodec: Codec<{ from: number; headers: Finality[] }> = codec(
  "headers",
  new ContainerType({ from: u64, headers: new ListCompositeType(finalityType, finalitiesMax) }),
  finalitiesMax * (finalitySizeMax + 4) + 16,
);
/** SSZ has no empty container: one byte that is zero. */
const nothingCodec: Codec<{ zero: number }> = codec("nothing", new ContainerType({ zero: u8 }), 1);
const offersCodec: Codec<{ manifests: Uint8Array[] }> = codec(
  "offers",
  new ContainerType({
    manifests: new ListCompositeType(new ByteListType(manifestCodec.sizeMax), manifestsMax),
  }),
  manifestsMax * (manifestCodec.sizeMax + 8) + 8,
);
const chunkRequestCodec: Codec<{ epoch: number; index: number }> = codec(
  "chunk request",
  new ContainerType({ epoch: u64, index: u32 }),
  16,
);
const chunkCodec: Codec<{ epoch: number; index: number; chunk: Uint8Array; path: Uint8Array[] }> =
  codec(
    "chunk",
    new ContainerType({ epoch: u64, index: u32, chunk: chunkType, path: pathType }),
    chunkSizeMax + 1024,
  );
const addressesRequestCodec: Codec<{ port: number }> = codec(
  "addresses request",
  new ContainerType({ port: u32 }),
  8,
);
const addressesCodec: Codec<{ addresses: Uint8Array[] }> = codec(
  "addresses",
  new ContainerType({
    addresses: new ListCompositeType(new ByteListType(addressSize), addressesMax),
  }),
  addressesMax * (addressSize + 8),
);

const kinds = {
  headersRequest: 1,
  headers: 2,
  offersRequest: 3,
  offers: 4,
  chunkRequest: 5,
  chunk: 6,
  addressesRequest: 7,
  addresses: 8,
} as const;

/** Largest message; what a stream's reader must allow. */
export const syncMessageSizeMax: number = 1 + headersCodec.sizeMax;

export function encodeSync(message: SyncMessage): Uint8Array {
  return concat(Uint8Array.of(kinds[message.kind]), body(message));
}

function body(message: SyncMessage): Uint8Array {
  switch (message.kind) {
    case "headersRequest":
      return headersRequestCodec.encode({ from: message.from, exact: message.exact });
    case "headers":
      return headersCodec.encode({ from: message.from, headers: [...message.headers] });
    case "offersRequest":
      return nothingCodec.encode({ zero: 0 });
    case "offers":
      return offersCodec.encode({ manifests: message.manifests.map(manifestCodec.encode) });
    case "chunkRequest":
      return chunkRequestCodec.encode({ epoch: message.epoch, index: message.index });
    case "chunk": {
      const { epoch, index, chunk, path } = message;
      return chunkCodec.encode({ epoch, index, chunk, path: [...path] });
    }
    case "addressesRequest":
      return addressesRequestCodec.encode({ port: message.port });
    case "addresses":
      return addressesCodec.encode({ addresses: [...message.addresses] });
  }
}

export type BadSync = BadBytes | Rejected<"unknown-kind">;

/** Untrusted bytes of a whole message. */
export function parseSync(bytes: Uint8Array): SyncMessage | BadSync {
  const rest = bytes.subarray(1);
  switch (bytes[0]) {
    case kinds.headersRequest:
      return as("headersRequest", headersRequestCodec.parse(rest));
    case kinds.headers:
      return as("headers", headersCodec.parse(rest));
    case kinds.offersRequest: {
      const nothing = nothingCodec.parse(rest);
      return isRejected(nothing) ? nothing : { kind: "offersRequest" };
    }
    case kinds.offers:
      return parseOffers(rest);
    case kinds.chunkRequest:
      return as("chunkRequest", chunkRequestCodec.parse(rest));
    case kinds.chunk:
      return as("chunk", chunkCodec.parse(rest));
    case kinds.addressesRequest:
      return as("addressesRequest", addressesRequestCodec.parse(rest));
    case kinds.addresses:
      return as("addresses", addressesCodec.parse(rest));
    default:
      return rejected("unknown-kind", `no sync message of kind ${bytes[0]}`);
  }
}

function as<Kind extends string, T extends object>(
  kind: Kind,
  value: T | BadBytes,
): ({ readonly kind: Kind } & T) | BadBytes {
  return isRejected(value) ? (value as BadBytes) : { kind, ...(value as T) };
}

function parseOffers(bytes: Uint8Array): SyncMessage | BadSync {
  const list = offersCodec.parse(bytes);
  if (isRejected(list)) return list;
  const manifests: Manifest[] = [];
  for (const one of list.manifests) {
    const manifest = manifestCodec.parse(one);
    if (isRejected(manifest)) return manifest;
    manifests.push(manifest);
  }
  return { kind: "offers", manifests };
}
