// SPDX-License-Identifier: MIT
// m of n guardians, who approve an action by EIP-712 signatures or by calls (GOV-2). The set is
// fixed at deployment; the code holds its hash and callers bring the list.
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IGateway, Quorum} from "./IGateway.sol";

abstract contract GuardianQuorum is IGateway {
    bytes32 internal constant PAUSE_TYPE = keccak256("Pause(uint8 directions,uint64 nonce)");
    bytes32 internal constant LIMIT_TYPE =
        keccak256("Limit(address token,uint104 capacity,uint64 nonce)");
    bytes32 internal constant RECOVER_TYPE =
        keccak256("Recover(uint32 keyId,bytes32 px,uint64 nonce)");
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,"
        "address verifyingContract,bytes32 salt)"
    );

    bytes32 public immutable override guardiansHash;

    /// @dev Anyone may approve; only guardians' approvals are counted.
    mapping(address guardian => mapping(bytes32 digest => bool)) private approved;

    constructor(address[] memory guardians, uint256 threshold) {
        if (threshold == 0 || threshold > guardians.length) revert BadQuorum();
        // Distinct, so that nobody counts twice.
        for (uint256 i = 0; i < guardians.length; ++i) {
            if (guardians[i] == address(0)) revert BadQuorum();
            for (uint256 j = 0; j < i; ++j) {
                if (guardians[i] == guardians[j]) revert BadQuorum();
            }
        }
        guardiansHash = keccak256(abi.encode(threshold, guardians));
    }

    /// @inheritdoc IGateway
    function approve(bytes32 digest) external override {
        approved[msg.sender][digest] = true;
    }

    /// @inheritdoc IGateway
    function guardianDigest(bytes32 structHash) public view override returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPE,
                keccak256("Causeway Gateway"),
                keccak256("1"),
                block.chainid,
                address(this),
                _salt()
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }

    function _requireQuorum(bytes32 structHash, Quorum calldata quorum) internal view {
        address[] calldata guardians = quorum.guardians;
        if (
            keccak256(abi.encode(quorum.threshold, guardians)) != guardiansHash
                || quorum.signatures.length != guardians.length
        ) revert BadQuorum();
        bytes32 digest = guardianDigest(structHash);
        uint256 count;
        for (uint256 i = 0; i < guardians.length; ++i) {
            bytes calldata signature = quorum.signatures[i];
            if (signature.length == 0) {
                if (approved[guardians[i]][digest]) ++count;
                continue;
            }
            (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature);
            if (problem == ECDSA.RecoverError.NoError && signer == guardians[i]) ++count;
        }
        if (count < quorum.threshold) revert BadQuorum();
    }

    /// @dev EIP-712's salt: the network.
    function _salt() internal view virtual returns (bytes32);
}
