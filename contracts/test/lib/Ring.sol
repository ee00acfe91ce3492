// SPDX-License-Identifier: MIT
// Signs as the ring does, for tests: BIP340 over FMT-1's digests, written from the papers and not
// from the contracts. forge's wallets do the multiplications.
pragma solidity 0.8.37;

import {Signature} from "../../src/IGateway.sol";
import {Checks, Vm} from "./Vm.sol";

abstract contract Ring is Checks {
    uint256 internal constant N =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint256 internal constant P =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;

    function keyOf(uint256 secret) internal returns (bytes32) {
        return bytes32(vm.createWallet(secret).publicKeyX);
    }

    /// @dev BIP340 with a nonce that is only good for tests.
    function sealOf(uint256 secret, bytes32 message) internal returns (Signature memory) {
        Vm.Wallet memory key = vm.createWallet(secret);
        uint256 d = key.publicKeyY & 1 == 0 ? secret : N - secret;
        uint256 k = uint256(keccak256(abi.encode(secret, message))) % (N - 1) + 1;
        Vm.Wallet memory nonce = vm.createWallet(k);
        uint256 ry = nonce.publicKeyY;
        if (ry & 1 == 1) (k, ry) = (N - k, P - ry);
        bytes32 rx = bytes32(nonce.publicKeyX);
        bytes32 px = bytes32(key.publicKeyX);
        bytes memory challenge = abi.encodePacked(rx, px, message);
        uint256 e = uint256(tagged("BIP0340/challenge", challenge)) % N;
        bytes32 s = bytes32(addmod(k, mulmod(e, d, N), N));
        return Signature({px: px, rx: rx, ry: bytes32(ry), s: s});
    }

    function tagged(string memory tag, bytes memory message) internal pure returns (bytes32) {
        bytes32 half = sha256(bytes(tag));
        return sha256(abi.encodePacked(half, half, message));
    }
}
