//! The canonical SPIR-V and its variant for one device.
//!
//! naga writes no `NoContraction`, and a driver may then fuse, reorder and use reciprocals. Here every float
//! arithmetic instruction gets it. Debug instructions fall away, so that only what runs is hashed.

use super::KernelError;
use crate::compute::{FloatControls, Hash};
use rspirv::binary::Assemble;
use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{Capability, Decoration, ExecutionMode, Op, Word};
use std::collections::BTreeSet;

/// Float arithmetic, as the SPIR-V specification groups it: what `NoContraction` applies to.
pub fn is_float_arithmetic(op: Op) -> bool {
    matches!(
        op,
        Op::FNegate
            | Op::FAdd
            | Op::FSub
            | Op::FMul
            | Op::FDiv
            | Op::FRem
            | Op::FMod
            | Op::VectorTimesScalar
            | Op::MatrixTimesScalar
            | Op::VectorTimesMatrix
            | Op::MatrixTimesVector
            | Op::MatrixTimesMatrix
            | Op::OuterProduct
            | Op::Dot
    )
}

/// Reads words.
pub fn load(words: &[u32]) -> Result<Module, KernelError> {
    rspirv::dr::load_words(words)
        .map_err(|e| KernelError::Internal(format!("SPIR-V does not load: {e}")))
}

/// Writes words and reads them again: what comes out is well formed, and every float operation is decorated.
pub fn store(module: &Module) -> Result<Vec<u32>, KernelError> {
    let words = module.assemble();
    let again = load(&words)?;
    let decorated = decorated(&again);
    let bare = again
        .all_inst_iter()
        .filter(|i| is_float_arithmetic(i.class.opcode))
        .any(|i| i.result_id.is_none_or(|id| !decorated.contains(&id)));
    if bare {
        return Err(KernelError::Internal(
            "a float operation lost its NoContraction".into(),
        ));
    }
    if let Some(other) = again.capabilities.iter().find(|i| {
        !matches!(
            i.operands.first(),
            Some(Operand::Capability(
                Capability::Shader
                    | Capability::RoundingModeRTE
                    | Capability::SignedZeroInfNanPreserve
            ))
        )
    }) {
        return Err(KernelError::NotAllowed(format!(
            "capability {:?}",
            other.operands
        )));
    }
    Ok(words)
}

/// The result ids that carry `NoContraction`.
pub fn decorated(module: &Module) -> BTreeSet<Word> {
    module
        .annotations
        .iter()
        .filter_map(|i| match i.operands.as_slice() {
            [
                Operand::IdRef(id),
                Operand::Decoration(Decoration::NoContraction),
            ] => Some(*id),
            _ => None,
        })
        .collect()
}

/// Drops debug instructions and decorates float arithmetic.
pub fn canonicalise(module: &mut Module) {
    module.debug_string_source.clear();
    module.debug_names.clear();
    module.debug_module_processed.clear();
    let is_line = |i: &Instruction| matches!(i.class.opcode, Op::Line | Op::NoLine);
    module.types_global_values.retain(|i| !is_line(i));
    for function in &mut module.functions {
        function.parameters.retain(|i| !is_line(i));
        for block in &mut function.blocks {
            block.instructions.retain(|i| !is_line(i));
        }
    }
    let have = decorated(module);
    let bare: Vec<Word> = module
        .all_inst_iter()
        .filter(|i| is_float_arithmetic(i.class.opcode))
        .filter_map(|i| i.result_id)
        .filter(|id| !have.contains(id))
        .collect();
    module.annotations.extend(bare.into_iter().map(|id| {
        let operands = vec![
            Operand::IdRef(id),
            Operand::Decoration(Decoration::NoContraction),
        ];
        Instruction::new(Op::Decorate, None, None, operands)
    }));
}

/// Adds the float execution modes that the device advertises; the canonical hash does not cover them.
pub fn for_device(module: &mut Module, controls: FloatControls) -> Result<(), KernelError> {
    let modes = [
        (
            controls.rte32,
            Capability::RoundingModeRTE,
            ExecutionMode::RoundingModeRTE,
        ),
        (
            controls.preserve32,
            Capability::SignedZeroInfNanPreserve,
            ExecutionMode::SignedZeroInfNanPreserve,
        ),
    ];
    let floats = module
        .types_global_values
        .iter()
        .any(|i| i.class.opcode == Op::TypeFloat);
    if !floats || !modes.iter().any(|(has, ..)| *has) {
        return Ok(());
    }
    let Some(&Operand::IdRef(entry)) = module.entry_points.first().and_then(|e| e.operands.get(1))
    else {
        return Err(KernelError::Internal("no entry point in the SPIR-V".into()));
    };
    // In core only from SPIR-V 1.4 on.
    let name = Operand::LiteralString("SPV_KHR_float_controls".into());
    module
        .extensions
        .push(Instruction::new(Op::Extension, None, None, vec![name]));
    for (_, capability, mode) in modes.into_iter().filter(|(has, ..)| *has) {
        module.capabilities.push(Instruction::new(
            Op::Capability,
            None,
            None,
            vec![Operand::Capability(capability)],
        ));
        let operands = vec![
            Operand::IdRef(entry),
            Operand::ExecutionMode(mode),
            Operand::LiteralBit32(32),
        ];
        module
            .execution_modes
            .push(Instruction::new(Op::ExecutionMode, None, None, operands));
    }
    Ok(())
}

/// BLAKE3 of words in little endian.
pub fn hash(words: &[u32]) -> Hash {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    Hash::of(&bytes)
}
