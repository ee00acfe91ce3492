// SPDX-License-Identifier: MIT
// Bip340 as a contract, for the vectors of BIP340 (test/spec/bip340-evm.spec.ts).
pragma solidity 0.8.37;

import {Bip340} from "../src/Bip340.sol";

contract Bip340Harness {
    function verify(bytes32 px, bytes32 message, bytes32 rx, bytes32 ry, bytes32 s)
        external
        view
        returns (bool)
    {
        return Bip340.verify(px, message, rx, ry, s);
    }

    function isKey(bytes32 px) external view returns (bool) {
        return Bip340.isKey(px);
    }
}
