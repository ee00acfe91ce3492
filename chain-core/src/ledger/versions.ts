// The rules of every version of the protocol (FMT-7): they stay in the code, and the state says which apply to a
// block. A kind that a version adds, changes or drops is a rule with `since` and `until`.
import { assert } from "@causeway/primitives";
import { genesisVersion, supportedVersion } from "./governance/version.ts";
import type { AnyRule } from "./rules.ts";
import { rules } from "./rules.ts";

export type Protocol = {
  /** The newest version that this code knows. */
  readonly supported: number;
  /** The rule of an action kind, or undefined for a number that means nothing in `version`. */
  readonly ruleOf: (version: number, kind: number) => AnyRule | undefined;
};

/** `rules` hold at most one for each kind and version up to `supported`. */
export function protocolOf(supported: number, all: readonly AnyRule[]): Protocol {
  const versions: ReadonlyMap<number, AnyRule>[] = [];
  for (let version = genesisVersion; version <= supported; version++) {
    const byKind = new Map<number, AnyRule>();
    for (const rule of all) {
      const { kind, since = genesisVersion, until = Number.POSITIVE_INFINITY } = rule;
      if (version < since || version >= until) continue;
      assert(!byKind.has(kind), `two rules of kind ${kind} in version ${version}`);
      byKind.set(kind, rule);
    }
    versions.push(byKind);
  }
  return {
    supported,
    ruleOf: (version, kind) => versions[version - genesisVersion]?.get(kind),
  };
}

/** What this code knows. */
export const knownProtocol: Protocol = protocolOf(supportedVersion, rules);
