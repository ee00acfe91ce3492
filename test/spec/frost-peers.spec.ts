// RFC 9591 and the Zcash Foundation's FROST by their vectors, as far as they and BIP-445 do the same: shares of a
// polynomial, interpolation, key generation's sums, Taproot's tweak, encodings of points and scalars and, in the family
// with Taproot, the signature. Their binding factors, so their partial signatures, are others, and so is what their
// proofs of knowledge sign. repair-share.json does not apply: a lost share is opened again from the ledger's deals
// (RNG-5), no other member helps. Nor do ChillDKG's vectors: its key generation merges as ours, but its secrets, pads,
// proofs and transcript are derived otherwise, and each of its vectors is of one of these.
import {
  evaluate,
  evaluateCommitments,
  lagrangeCoefficients,
  mergeCommitments,
  taprootTweak,
  tweakPoint,
} from "@causeway/chain-core/ring";
import { fromBigEndian, fromHex, isRejected, must, toHex } from "@causeway/primitives";
import {
  isPoint,
  mod,
  publicPoint,
  scalarBytes,
  verifySchnorr,
} from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { countCases, familyFiles } from "./families.ts";

const families = ["rfc9591", "zcash-frost-secp256k1", "zcash-frost-secp256k1-tr"];

type SignVectors = {
  readonly config: { readonly name: string };
  readonly inputs: {
    readonly participant_list: readonly number[];
    readonly group_secret_key: string;
    readonly group_public_key?: string;
    readonly verifying_key_key?: string;
    readonly message: string;
    readonly share_polynomial_coefficients: readonly string[];
    readonly participant_shares: readonly {
      readonly identifier: number;
      readonly participant_share: string;
    }[];
  };
  readonly final_output: { readonly sig: string };
};
type Dealer = {
  readonly identifier: number;
  readonly signing_key: string;
  readonly coefficient: string;
  readonly vss_commitments: readonly string[];
  /** From each other dealer. */
  readonly signing_shares: Readonly<Record<string, string>>;
  readonly verifying_share: string;
  readonly signing_share: string;
};
type DkgVectors = {
  readonly inputs: Readonly<Record<string, Dealer>> & { readonly verifying_key: string };
};
type Elements = { readonly elements: { readonly invalid_element: string } };
type Samples = { readonly element1: string; readonly element2: string; readonly scalar1: string };

const scalar = (hex: string): bigint => fromBigEndian(fromHex(hex));

for (const family of families) {
  const cases: [string, () => void][] = familyFiles(family).flatMap(({ name, text }) => {
    const json = JSON.parse(text) as Partial<SignVectors & DkgVectors & Elements & Samples>;
    // RFC 9591 has vectors of other curves, too.
    if (json.config !== undefined && !/secp256k1/i.test(json.config.name)) return [];
    if (json.final_output !== undefined) return signCases(name, json as SignVectors, family);
    if (json.inputs !== undefined) return dkgCases(name, json as unknown as DkgVectors, family);
    if (json.scalar1 !== undefined) return sampleCases(name, json as Samples);
    if (json.elements === undefined) return [];
    const point = fromHex(json.elements.invalid_element);
    return [[`${name}: no point`, () => expect(isPoint(point)).toBe(false)]];
  });
  countCases(family, cases.length);
  test.each(cases)(`${family} %s`, (_, run) => run());
}

/** G, 2 G and a scalar as the peers encode them. */
function sampleCases(
  name: string,
  { element1, element2, scalar1 }: Samples,
): [string, () => void][] {
  return [
    [
      `${name}: points`,
      () => {
        expect(toHex(publicPoint(scalarBytes(1n)))).toBe(element1);
        expect(toHex(publicPoint(scalarBytes(2n)))).toBe(element2);
      },
    ],
    [`${name}: scalar`, () => expect(toHex(scalarBytes(scalar(scalar1)))).toBe(scalar1)],
  ];
}

function signCases(
  name: string,
  { inputs, final_output }: SignVectors,
  family: string,
): [string, () => void][] {
  const polynomial = [inputs.group_secret_key, ...inputs.share_polynomial_coefficients].map(scalar);
  const key = fromHex(must(inputs.group_public_key ?? inputs.verifying_key_key, "key"));
  const commitments = polynomial.map((one) => publicPoint(scalarBytes(one)));
  const cases: [string, () => void][] = inputs.participant_shares.map((one) => [
    `${name}: share of ${one.identifier}`,
    () => {
      const seat = one.identifier - 1;
      expect(toHex(scalarBytes(evaluate(polynomial, seat)))).toBe(one.participant_share);
      expect(evaluateCommitments(commitments, seat)).toEqual(
        publicPoint(fromHex(one.participant_share)),
      );
    },
  ]);
  cases.push([
    `${name}: interpolation`,
    () => {
      const lambdas = lagrangeCoefficients(inputs.participant_list.map((id) => id - 1));
      const secret = inputs.participant_list.reduce((sum, id, i) => {
        const share = must(
          inputs.participant_shares.find((one) => one.identifier === id),
          "share",
        );
        return sum + must(lambdas[i], "lambda") * scalar(share.participant_share);
      }, 0n);
      expect(toHex(scalarBytes(secret))).toBe(inputs.group_secret_key);
      expect(commitments[0]).toEqual(key);
    },
  ]);
  if (family.endsWith("-tr"))
    cases.push([
      `${name}: signature`,
      () => {
        const signature = fromHex(final_output.sig);
        const message = fromHex(inputs.message);
        expect(verifySchnorr(key.slice(1), message, signature)).toBe(true);
        expect(verifySchnorr(key.slice(1), message.slice(1), signature)).toBe(false);
      },
    ]);
  return cases;
}

function dkgCases(name: string, { inputs }: DkgVectors, family: string): [string, () => void][] {
  const { verifying_key, ...rest } = inputs;
  const dealers = Object.values(rest) as readonly Dealer[];
  const merged = must(
    mergeCommitments(dealers.map((dealer) => dealer.vss_commitments.map(fromHex))),
    "merged",
  );
  const group = must(merged[0], "group key");
  const tweaks = family.endsWith("-tr") ? [taprootTweak(group)] : [];
  const tweaked = tweakPoint(group, tweaks);
  if (isRejected(tweaked)) throw new Error(tweaked.message);
  const own = (dealer: Dealer): bigint =>
    evaluate([scalar(dealer.signing_key), scalar(dealer.coefficient)], dealer.identifier - 1);
  return [
    [`${name}: key`, () => expect(toHex(tweaked.point)).toBe(verifying_key)],
    ...dealers.map((dealer): [string, () => void] => [
      `${name}: participant ${dealer.identifier}`,
      () => {
        const received = Object.values(dealer.signing_shares).map(scalar);
        const sum = received.reduce((total, share) => total + share, own(dealer));
        const share = scalarBytes(mod(tweaked.sign * sum + tweaked.tweak));
        expect(toHex(share)).toBe(dealer.signing_share);
        expect(toHex(publicPoint(share))).toBe(dealer.verifying_share);
        expect(evaluateCommitments(merged, dealer.identifier - 1)).toEqual(
          publicPoint(scalarBytes(sum)),
        );
      },
    ]),
  ];
}
