import { sha256 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import { depositRequestCodec } from "../interchain/statement.ts";
import * as deposits from "./requests.ts";

const chain = sha256(Uint8Array.of(1));
const terms = { time: 1_000, ttlMs: 5_000, chain };

function request(expires: number, keyId = 1, on: Uint8Array = chain): Uint8Array {
  return depositRequestCodec.encode({
    version: 1,
    chain: on,
    keyId,
    destination: { chain, payload: new Uint8Array(32) },
    maxFee: 5n,
    refund: chain,
    expires,
  });
}

describe("deposit requests", () => {
  it("are kept once and listed in order of arrival from a cursor", () => {
    const state = deposits.requests();
    for (const keyId of [3, 1, 2]) deposits.add(state, request(2_000, keyId), terms);
    expect(deposits.add(state, request(2_000, 1), terms)).toMatchObject({ isNew: false });
    const first = deposits.after(state, 0, 2);
    expect(first).toEqual({ requests: [request(2_000, 3), request(2_000, 1)], next: 2 });
    expect(deposits.after(state, first.next, 2)).toEqual({
      requests: [request(2_000, 2)],
      next: 3,
    });
    expect(deposits.after(state, 3, 2)).toEqual({ requests: [], next: 3 });
  });

  it("are forgotten when they expire, and refused when expired or for too long", () => {
    const state = deposits.requests();
    deposits.add(state, request(2_000), terms);
    deposits.expire(state, 1_999);
    expect(state.entries.size).toBe(1);
    deposits.expire(state, 2_000);
    expect(state.entries.size).toBe(0);
    expect(deposits.add(state, request(1_000), terms)).toMatchObject({ code: "expired" });
    expect(deposits.add(state, request(6_001), terms)).toMatchObject({ code: "expires-too-late" });
  });

  it("are refused for another chain and as malformed bytes", () => {
    const state = deposits.requests();
    const other = request(2_000, 1, sha256(Uint8Array.of(2)));
    expect(deposits.add(state, other, terms)).toMatchObject({ code: "unknown-chain" });
    expect(deposits.add(state, new Uint8Array(600), terms)).toMatchObject({ code: "bad-request" });
  });

  it("of a peer at its bound replace its own, those that expire last", () => {
    const state = deposits.requests();
    let keyId = 0;
    const flood = { ...terms, origin: "flood" };
    for (let i = 0; i < deposits.requestsOfPeerMax; i++)
      deposits.add(state, request(4_000 + (i % 7), keyId++), flood);
    expect(deposits.add(state, request(5_000, keyId++), flood)).toMatchObject({ code: "busy" });
    expect(deposits.add(state, request(3_000, keyId++), flood)).toMatchObject({ isNew: true });
    expect(state.entries.size).toBe(deposits.requestsOfPeerMax);
    expect(
      deposits.add(state, request(5_000, keyId++), { ...terms, origin: "other" }),
    ).toMatchObject({ isNew: true });
  });

  it("of floods never make a portal busy", () => {
    const state = deposits.requests();
    let keyId = 0;
    for (let peer = 0; state.entries.size < deposits.requestsMax; peer++)
      for (let i = 0; i < deposits.requestsOfPeerMax; i++)
        deposits.add(state, request(5_000, keyId++), { ...terms, origin: `peer ${peer}` });
    const mine = request(5_500, keyId++);
    expect(deposits.add(state, mine, terms)).toMatchObject({ isNew: true });
    expect(
      deposits.add(state, request(5_500, keyId++), { ...terms, origin: "honest" }),
    ).toMatchObject({ isNew: true });
    for (let i = 0; i < 500; i++)
      deposits.add(state, request(1_001 + i, keyId++), { ...terms, origin: `peer ${i % 20}` });
    expect(state.entries.size).toBe(deposits.requestsMax);
    expect(deposits.add(state, mine, terms)).toMatchObject({ isNew: false });
    const counted = [...state.origins.values()].reduce((sum, keys) => sum + keys.size, 0);
    expect(counted).toBe(deposits.requestsMax);
  });
});
