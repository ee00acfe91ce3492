// Signed addresses: only who has the key makes one, and whatever else comes is refused without a throw.
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { PeerRecord, RecordEnvelope } from "@libp2p/peer-record";
import { multiaddr } from "@multiformats/multiaddr";
import { expect, test } from "vitest";
import { must } from "../assert.ts";
import { isRejected } from "../failure.ts";
import { publicPoint } from "../secp256k1.ts";
import { hostAddress, hostBytes, peerIdOfKey } from "./p2p-address.ts";
import type { SignedRecord } from "./p2p-records.ts";
import {
  placeOf,
  readRecord,
  recordAddressesMax,
  recordSizeMax,
  sealRecord,
} from "./p2p-records.ts";

const secret = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1);
const keyOf = (i: number) => privateKeyFromRaw(secret(i));
const idOf = (i: number): string => peerIdOfKey(publicPoint(secret(i)));
const place = (host: string, port: number) => ({ host: must(hostBytes(host), host), port });
const read = (bytes: Uint8Array): SignedRecord => {
  const record = readRecord(bytes);
  if (isRejected(record)) throw new Error(record.message);
  return record;
};

async function isBelieved(bytes: Uint8Array): Promise<boolean> {
  const record = readRecord(bytes);
  return !isRejected(record) && (await record.isSigned());
}

/** A record in which `i` says that `of` is at these multiaddrs. */
async function said(i: number, of: number, addresses: readonly string[], seqNumber = 1n) {
  const peerId = peerIdFromPrivateKey(keyOf(of));
  const multiaddrs = addresses.map((one) => multiaddr(one));
  const record = new PeerRecord({ peerId, multiaddrs, seqNumber });
  return (await RecordEnvelope.seal(record, keyOf(i))).marshal();
}

test("a record says who, when and where, and is signed", async () => {
  const places = [place("9.8.7.6", 18_502), place("2606:4700::1111", 1)];
  const record = read(await sealRecord(secret(0), places, 1_700_000_000_000));
  expect(record).toMatchObject({ peer: idOf(0), sequence: 1_700_000_000_000, places });
  expect(await record.isSigned()).toBe(true);
});

test("a full record fits, and one of more addresses is not made", async () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => place(`2606:4700::${i}`, 65_535));
  const bytes = await sealRecord(secret(0), many(recordAddressesMax), Number.MAX_SAFE_INTEGER);
  expect(bytes.length).toBeLessThanOrEqual(recordSizeMax);
  await expect(sealRecord(secret(0), many(recordAddressesMax + 1), 1)).rejects.toMatchObject({
    code: "bad-address",
  });
});

test("whatever is changed in it is refused", async () => {
  const bytes = await sealRecord(secret(0), [place("9.8.7.6", 18_502)], 5);
  for (let i = 0; i < bytes.length; i++) {
    const bad = bytes.slice();
    bad[i] = (bad[i] ?? 0) ^ 1;
    expect([i, await isBelieved(bad)]).toEqual([i, false]);
    expect([i, await isBelieved(bytes.subarray(0, i))]).toEqual([i, false]);
  }
});

test("nobody speaks for another, and neither long nor endless ones are read", async () => {
  const here = "/ip4/9.8.7.6/tcp/1";
  for (const bytes of [
    await said(1, 0, [here]),
    await said(0, 0, [here], 2n ** 63n),
    await said(0, 0, new Array<string>(60).fill(here)),
    new Uint8Array(recordSizeMax).fill(0xff),
    new Uint8Array(0),
  ])
    expect(readRecord(bytes)).toMatchObject({ code: "bad-record" });
});

test("of others' addresses only IP and TCP count, and a few", async () => {
  const odd = [
    "/dns4/example.com/tcp/1",
    "/ip4/9.8.7.6/udp/1",
    "/ip4/9.8.7.6/tcp/0",
    "/ip4/9.8.7.6/tcp/1/ws",
    `/ip4/9.8.7.6/tcp/1/p2p/${idOf(2)}/p2p-circuit`,
  ];
  const good = [1, 2, 3, 4, 5].map((port) => `/ip4/9.8.7.6/tcp/${port}`);
  const { places } = read(await said(0, 0, [...odd.slice(0, 3), ...good]));
  expect(places.map(({ host, port }) => hostAddress(host, port))).toEqual(
    good.slice(0, recordAddressesMax),
  );
  for (const text of [...odd, "", "9.8.7.6:1"])
    expect(placeOf(text)).toMatchObject({ code: "bad-address" });
  expect(placeOf(good[0] ?? "")).toEqual(place("9.8.7.6", 1));
});
