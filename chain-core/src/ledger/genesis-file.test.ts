import type { NetworkId } from "@causeway/primitives";
import { sha256, utf8 } from "@causeway/primitives";
import { signRecoverable } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { mainnetParams } from "../params/mainnet.ts";
import type { BadGenesis, GenesisBody } from "./genesis-file.ts";
import { encodeGenesisBody, parseGenesis } from "./genesis-file.ts";
import type { Proofs } from "./possession.ts";
import { encodeProofs, keyRoleNames, possessionMessage, signPossession } from "./possession.ts";
import { testBls, testGenesisBody, validatorSecret } from "./testing.ts";

const good = testGenesisBody(4);

function proofsOf(body: GenesisBody, bytes: Uint8Array = encodeGenesisBody(body)): Proofs[] {
  const network = sha256(bytes) as Uint8Array as NetworkId;
  return body.validators.map(
    (validator, seat) =>
      Object.fromEntries(
        keyRoleNames.map((role) => [
          role,
          signPossession(network, validator, role, validatorSecret(seat, role), testBls),
        ]),
      ) as Proofs,
  );
}

/** Parses a body with good proofs over it. */
function parse(body: GenesisBody): ReturnType<typeof parseGenesis> {
  const bytes = encodeGenesisBody(body);
  const network = sha256(bytes) as Uint8Array as NetworkId;
  return parseGenesis(bytes, encodeProofs(network, proofsOf(body)), testBls);
}

/** Mistakes of a body that was changed as text. */
function mistakesOf(change: (json: Record<string, unknown>) => void): readonly string[] {
  const json = JSON.parse(new TextDecoder().decode(encodeGenesisBody(good)));
  change(json);
  const bytes = utf8(JSON.stringify(json));
  const network = sha256(bytes) as Uint8Array as NetworkId;
  const parsed = parseGenesis(bytes, encodeProofs(network, proofsOf(good, bytes)), testBls);
  return "mistakes" in parsed ? parsed.mistakes : [];
}

describe("a genesis file (FMT-1)", () => {
  test("gives back what was written, with the SHA-256 of its bytes as the network's id", () => {
    const networkId = sha256(encodeGenesisBody(good));
    expect(parse(good)).toEqual({ ...good, networkId });
    expect(parse({ ...good, params: mainnetParams })).toMatchObject({ params: mainnetParams });
  });

  test("lists every mistake at once with its place", () => {
    const mistakes = mistakesOf((json) => {
      json.name = "No Such Name";
      json.colour = "blue";
      delete json.time;
      (json.params as Record<string, unknown>).depositMin = 10_000;
      (json.validators as Record<string, unknown>[])[1] = { stake: "-1" };
    });
    for (const path of [
      "body.name: expected 1 to 32",
      "body.colour: is not a field",
      "body.time: is missing",
      'body.params.depositMin: expected "0" to',
      "body.validators[1].owner: is missing",
      'body.validators[1].stake: expected "1" to',
    ])
      expect(mistakes.filter((mistake) => mistake.startsWith(path))).toHaveLength(1);
    expect(mistakes).toHaveLength(12);
  });

  test("refuses repeated keys, owners, symbols and chains that are not what they say", () => {
    const [first, second, ...rest] = good.validators;
    const [asset] = good.assets;
    if (first === undefined || second === undefined || asset === undefined) throw new Error();
    const parsed = parse({
      ...good,
      validators: [first, { ...second, owner: first.owner, hostKey: first.relayKey }, ...rest],
      bitcoin: { ...good.bitcoin, network: "mainnet" },
      assets: [asset, { ...asset, symbol: "BTM" }],
      params: { ...good.params, heartbeatMs: 30_000, missedWindow: 39, missedMax: 20 },
      guardians: { ...good.guardians, threshold: 6 },
    });
    expect(parsed).toMatchObject({ kind: "rejected", code: "bad-genesis" });
    expect((parsed as BadGenesis).mistakes.map((m) => m.split(":")[0])).toEqual([
      "body.validators[1].owner",
      "body.validators[1].hostKey",
      "body.guardians.threshold",
      "body.bitcoin.chain",
      "body.assets[1].symbol",
      "body.assets[1].token",
      "body.assets[1].exports[0]",
      "body.params.missedWindow",
      "body.params.heartbeatMs",
    ]);
  });

  test("needs a proof of possession for every key, of this network, owner and role (STK-1)", () => {
    const bytes = encodeGenesisBody(good);
    const network = sha256(bytes) as Uint8Array as NetworkId;
    const proofs = proofsOf(good);
    for (const role of keyRoleNames) {
      const swapped = proofs.map((each, seat) =>
        seat === 2 ? { ...each, [role]: proofs[3]?.[role] ?? each[role] } : each,
      );
      expect(parseGenesis(bytes, encodeProofs(network, swapped), testBls)).toMatchObject({
        mistakes: [`proofs.validators[2].${role}: is no proof by this key for this owner and role`],
      });
    }
    const otherRole = proofs.map((each, seat) => {
      const owner = good.validators[seat]?.owner ?? bytes;
      const key = good.validators[seat]?.relayKey ?? bytes;
      const message = possessionMessage(network, owner, "hostKey", key);
      return { ...each, relayKey: signRecoverable(validatorSecret(seat, "relayKey"), message) };
    });
    expect(parseGenesis(bytes, encodeProofs(network, otherRole), testBls)).toMatchObject({
      mistakes: { length: 4 },
    });
    const other = encodeProofs(sha256(network) as Uint8Array as NetworkId, proofs);
    expect(parseGenesis(bytes, other, testBls)).toMatchObject({ mistakes: { length: 1 } });
    const few = encodeProofs(network, proofs.slice(1));
    expect(parseGenesis(bytes, few, testBls)).toMatchObject({ mistakes: { length: 1 } });
  });

  test("answers to bytes that are no JSON, and to files that are too large", () => {
    const bytes = encodeGenesisBody(good);
    expect(parseGenesis(Uint8Array.of(0xff), bytes, testBls)).toMatchObject({
      code: "bad-genesis",
    });
    expect(parseGenesis(utf8("null"), utf8("[]"), testBls)).toMatchObject({
      mistakes: ["body: expected an object", "proofs: expected an object"],
    });
    expect(parseGenesis(new Uint8Array(5_000_000), bytes, testBls)).toMatchObject({
      mistakes: { length: 1 },
    });
  });
});
