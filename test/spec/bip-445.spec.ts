// BIP-445 (FROST signing for BIP340) by the vectors of its draft, error cases too. det_sign is not run: the ring
// never makes a nonce deterministically. sig_agg is run where it is present.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tweak } from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import { fromHex, isRejected, must, toHex } from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import type { NonceInput } from "../../signer/src/frost/nonce.ts";
import { generateNonce } from "../../signer/src/frost/nonce.ts";
import type { Group, Signers } from "../../signer/src/frost/signers.ts";
import { validateSigners } from "../../signer/src/frost/signers.ts";
import type { Session } from "../../signer/src/frost/signing.ts";
import {
  aggregate,
  aggregateNonces,
  openSession,
  sign,
  verifyPartial,
} from "../../signer/src/frost/signing.ts";
import { countCases, familyFolder } from "./families.ts";

const family = "bip445-frost-signing";
const folder = familyFolder(family) ?? "none";
const present = existsSync(folder);

type Case = {
  readonly tc_id: number;
  readonly comment: string;
  readonly error?: { readonly type: string; readonly signer_index?: number | null };
  readonly expected: string;
  readonly my_id: number;
  readonly ids: readonly number[];
  readonly pubshare_indices: readonly number[];
  readonly pubnonce_indices: readonly number[];
  readonly secshare_index: number;
  readonly secnonce_index: number;
  readonly signer_index: number;
  readonly aggnonce: string;
  readonly msg: string;
  readonly psig: string;
  readonly psigs: readonly string[];
  readonly tweak_indices?: readonly number[];
  readonly is_xonly?: readonly boolean[];
};
type TestGroup = {
  readonly tg_id: string;
  readonly t: number;
  readonly n: number;
  readonly thresh_pk: string;
  readonly pubshares: readonly string[];
  readonly pubnonces: readonly string[];
  readonly secshares: readonly string[];
  readonly secnonces: readonly string[];
  readonly tweaks?: readonly string[];
  readonly valid_tests: readonly Case[];
  readonly error_tests?: readonly Case[];
  readonly sign_error_tests?: readonly Case[];
  readonly verify_fail_tests?: readonly Case[];
  readonly verify_error_tests?: readonly Case[];
};

function load<T>(name: string): T | undefined {
  const path = join(folder, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : undefined;
}

const groupsOf = (name: string): readonly TestGroup[] =>
  load<{ test_groups: readonly TestGroup[] }>(name)?.test_groups ?? [];

/** Every case of a kind in every group, with a name. */
function cases(
  groups: readonly TestGroup[],
  kind:
    | "valid_tests"
    | "error_tests"
    | "sign_error_tests"
    | "verify_fail_tests"
    | "verify_error_tests",
): readonly (readonly [string, TestGroup, Case])[] {
  return groups.flatMap((group) =>
    (group[kind] ?? []).map(
      (test) => [`${group.tg_id} ${test.tc_id}: ${test.comment}`, group, test] as const,
    ),
  );
}

const at = (list: readonly string[], index: number): Uint8Array =>
  fromHex(must(list[index], "vector index"));

function signersOf(group: TestGroup, test: Case): Signers | Rejected {
  const shares = new Map(
    test.ids.map((id, i) => [id, at(group.pubshares, must(test.pubshare_indices[i], "share"))]),
  );
  const { n, t } = group;
  const ring: Group = { n, t, thresholdPoint: fromHex(group.thresh_pk), shares };
  return validateSigners(ring, test.ids);
}

function tweaksOf(group: TestGroup, test: Case): readonly Tweak[] {
  return (test.tweak_indices ?? []).map((index, i) => ({
    tweak: at(group.tweaks ?? [], index),
    xOnly: must(test.is_xonly?.[i], "is_xonly"),
  }));
}

function sessionOf(group: TestGroup, test: Case, nonce: Uint8Array): Session | Rejected {
  const signers = signersOf(group, test);
  if (isRejected(signers)) return signers;
  return openSession(signers, fromHex(test.msg), tweaksOf(group, test), nonce);
}

function signOf(group: TestGroup, test: Case): Uint8Array | Rejected {
  const session = sessionOf(group, test, fromHex(test.aggnonce));
  if (isRejected(session)) return session;
  const secretNonce = at(group.secnonces, test.secnonce_index);
  return sign(session, secretNonce, at(group.secshares, test.secshare_index), test.my_id);
}

const noncesOf = (group: TestGroup, test: Case) =>
  test.pubnonce_indices.map((index, i) => ({
    seat: must(test.ids[i], "id"),
    nonce: at(group.pubnonces, index),
  }));

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const codeOf = (value: unknown): string => (isRejected(value) ? value.code : "accepted");

describe.skipIf(!present)("BIP-445 nonces", () => {
  type NonceGen = Readonly<
    Record<"rand_" | "comment", string> &
      Record<"secshare" | "pubshare" | "thresh_pk" | "msg" | "extra_in", string | null>
  > & { readonly tc_id: number; readonly expected: readonly [string, string] };
  const generated = load<{ valid_tests: readonly NonceGen[] }>("nonce_gen_vectors.json");

  test.each(generated?.valid_tests ?? [])("nonce_gen $tc_id: $comment", (vector) => {
    const names = {
      secretShare: vector.secshare,
      publicShare: vector.pubshare,
      key: vector.thresh_pk,
      message: vector.msg,
      extra: vector.extra_in,
    };
    const input: NonceInput = Object.fromEntries(
      Object.entries(names).flatMap(([name, hex]) =>
        typeof hex === "string" ? [[name, fromHex(hex)]] : [],
      ),
    );
    const pair = accepted(generateNonce(fromHex(vector.rand_), input));
    expect([toHex(pair.secret), toHex(pair.nonce)]).toEqual(
      vector.expected.map((hex) => hex.toLowerCase()),
    );
  });

  type NonceAgg = Pick<Case, "tc_id" | "comment" | "expected" | "pubnonce_indices" | "error">;
  const summed = load<{
    pubnonces: readonly string[];
    valid_tests: readonly NonceAgg[];
    error_tests: readonly NonceAgg[];
  }>("nonce_agg_vectors.json");
  const inputs = (vector: NonceAgg) =>
    vector.pubnonce_indices.map((index, seat) => ({
      seat,
      nonce: at(summed?.pubnonces ?? [], index),
    }));

  test.each(summed?.valid_tests ?? [])("nonce_agg $tc_id: $comment", (vector) => {
    expect(toHex(accepted(aggregateNonces(inputs(vector))))).toBe(vector.expected.toLowerCase());
  });

  test.each(summed?.error_tests ?? [])("nonce_agg $tc_id is refused: $comment", (vector) => {
    expect(aggregateNonces(inputs(vector))).toMatchObject({
      code: "bad-nonce",
      seat: vector.error?.signer_index,
    });
  });
});

/** The reference's message and our code for it. */
const codes: readonly (readonly [RegExp, string])[] = [
  [/id must be present/, "unknown-signer"],
  [/duplicate elements/, "duplicate-seat"],
  // The reference looks for the share anywhere in the list, we at the signer's own seat.
  [/pubshare must be included/, "wrong-share"],
  [/Invalid pubshare/, "bad-point"],
  [/out of range\.$/, "out-of-range"],
  [/key material is incorrect/, "wrong-key"],
  [/between t and n/, "bad-count"],
  [/cannot be infinity/, "infinite-key"],
  [/must be a 32-byte array/, "bad-tweak"],
];
function codeFor(vector: Case): string {
  const { type, message = "" } = vector.error as { type: string; message?: string };
  if (type === "InvalidContributionError") return "bad-nonce";
  if (/secnonce value/.test(message)) return "bad-nonce";
  if (/secret share value/.test(message)) return "bad-share";
  if (/tweak value/.test(message)) return "bad-tweak";
  if (/participant identifier at index/.test(message)) return "bad-seat";
  return must(
    codes.find(([pattern]) => pattern.test(message)),
    message,
  )[1];
}

describe.skipIf(!present)("BIP-445 signing", () => {
  const groups = groupsOf("sign_verify_vectors.json");

  test.each(cases(groups, "valid_tests"))("sign_verify %s", (_, group, vector) => {
    const partial = accepted(signOf(group, vector));
    expect(toHex(partial)).toBe(vector.expected.toLowerCase());
    const nonces = noncesOf(group, vector);
    const sum = accepted(aggregateNonces(nonces));
    expect(toHex(sum)).toBe(vector.aggnonce.toLowerCase());
    const session = accepted(sessionOf(group, vector, sum));
    const own = must(
      nonces.find(({ seat }) => seat === vector.my_id),
      "own nonce",
    );
    expect(verifyPartial(session, vector.my_id, own.nonce, partial)).toBe(true);
  });

  test.each(cases(groups, "sign_error_tests"))("is refused: %s", (_, group, vector) => {
    expect(codeOf(signOf(group, vector))).toBe(codeFor(vector));
  });

  test.each(cases(groups, "verify_fail_tests"))("does not verify: %s", (_, group, vector) => {
    const nonces = noncesOf(group, vector);
    const session = accepted(sessionOf(group, vector, accepted(aggregateNonces(nonces))));
    const { seat, nonce } = must(nonces[vector.signer_index], "signer");
    expect(verifyPartial(session, seat, nonce, fromHex(vector.psig))).toBe(false);
  });

  test.each(cases(groups, "verify_error_tests"))("is refused: %s", (_, group, vector) => {
    const sum = aggregateNonces(noncesOf(group, vector));
    if (vector.error?.type === "InvalidContributionError") {
      const seat = vector.ids[vector.error.signer_index ?? -1];
      expect(sum).toMatchObject({ code: "bad-nonce", seat });
    } else expect(codeOf(sessionOf(group, vector, accepted(sum)))).toBe(codeFor(vector));
  });

  test("a nonce that has signed is gone", () => {
    const group = must(groups[0], "group");
    const vector = must(group.valid_tests[0], "vector");
    const session = accepted(sessionOf(group, vector, fromHex(vector.aggnonce)));
    const nonce = at(group.secnonces, vector.secnonce_index);
    const share = at(group.secshares, vector.secshare_index);
    accepted(sign(session, nonce, share, vector.my_id));
    expect(codeOf(sign(session, nonce, share, vector.my_id))).toBe("bad-nonce");
  });
});

// A tweak and its mode are one value here, so their numbers cannot differ.
const refusedTweaks = cases(groupsOf("tweak_vectors.json"), "error_tests").filter(
  ([, , vector]) => vector.is_xonly?.length === vector.tweak_indices?.length,
);

describe.skipIf(!present)("BIP-445 tweaks", () => {
  const groups = groupsOf("tweak_vectors.json");

  test.each(cases(groups, "valid_tests"))("tweak %s", (_, group, vector) => {
    expect(toHex(accepted(signOf(group, vector)))).toBe(vector.expected.toLowerCase());
  });

  test.each(refusedTweaks)("is refused: %s", (_, group, vector) => {
    expect(codeOf(signOf(group, vector))).toBe(codeFor(vector));
  });
});

const sums = groupsOf("sig_agg_vectors.json");

describe.skipIf(sums.length === 0)("BIP-445 aggregation", () => {
  const sumOf = (group: TestGroup, vector: Case): Uint8Array | Rejected => {
    const session = accepted(sessionOf(group, vector, fromHex(vector.aggnonce)));
    const partials = new Map(
      vector.psigs.map((hex, i) => [must(vector.ids[i], "id"), fromHex(hex)]),
    );
    const signature = aggregate(session, partials);
    if (!isRejected(signature))
      expect(verifySchnorr(session.key, fromHex(vector.msg), signature)).toBe(true);
    return signature;
  };

  test.each(cases(sums, "valid_tests"))("sig_agg %s", (_, group, vector) => {
    expect(toHex(accepted(sumOf(group, vector)))).toBe(vector.expected.toLowerCase());
  });

  test.each(cases(sums, "error_tests"))("is refused: %s", (_, group, vector) => {
    const { type, signer_index } = must(vector.error, "error");
    const expected =
      type === "InvalidContributionError"
        ? { code: "bad-partial", seat: vector.ids[signer_index ?? -1] }
        : { code: "bad-count" };
    expect(sumOf(group, vector)).toMatchObject(expected);
  });
});

const nonces = ["nonce_gen_vectors.json", "nonce_agg_vectors.json"].map((name) =>
  load<Partial<Pick<TestGroup, "valid_tests" | "error_tests">>>(name),
);
const counts = {
  nonces: nonces.map((one) => (one?.valid_tests ?? []).length + (one?.error_tests ?? []).length),
  signing: (
    ["valid_tests", "sign_error_tests", "verify_fail_tests", "verify_error_tests"] as const
  ).map((kind) => cases(groupsOf("sign_verify_vectors.json"), kind).length),
  tweaks: [cases(groupsOf("tweak_vectors.json"), "valid_tests").length, refusedTweaks.length],
  sums: [cases(sums, "valid_tests").length, cases(sums, "error_tests").length],
};
countCases(
  family,
  Object.values(counts)
    .flat()
    .reduce((total, count) => total + count, 0),
);
