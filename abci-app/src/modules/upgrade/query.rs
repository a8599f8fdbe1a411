//! `cosmos.upgrade.v1beta1.Query`.

use super::{keeper, msg};
use crate::{
    codec::request,
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::upgrade::v1beta1::{
    ModuleVersion, QueryAppliedPlanRequest, QueryAppliedPlanResponse, QueryAuthorityResponse,
    QueryCurrentPlanResponse, QueryModuleVersionsRequest, QueryModuleVersionsResponse,
};
use prost::Message;

/// Which version of each of the SDK's and wasmd's modules this binary is like. Those that only this chain has are not
/// among them.
const VERSIONS: [(&str, u64); 15] = [
    ("auth", 5),
    ("authz", 2),
    ("bank", 4),
    ("consensus", 1),
    ("distribution", 3),
    ("evidence", 1),
    ("feegrant", 2),
    ("genutil", 1),
    ("gov", 5),
    ("mint", 2),
    ("slashing", 4),
    ("staking", 5),
    ("upgrade", 2),
    ("vesting", 1),
    ("wasm", 4),
];

/// Answers one method; `None` when it is not of this module.
///
/// # Errors
/// upgrade/2 for a module that is not here; sdk/18 for a request that is not one.
pub fn query(ctx: &Ctx, method: &str, data: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(
        match method.strip_prefix("/cosmos.upgrade.v1beta1.Query/")? {
            "CurrentPlan" => {
                keeper::plan(ctx).map(|plan| QueryCurrentPlanResponse { plan }.encode_to_vec())
            }
            "AppliedPlan" => applied(ctx, data),
            "Authority" => msg::authority(ctx)
                .map(|address| QueryAuthorityResponse { address }.encode_to_vec()),
            "ModuleVersions" => versions(data),
            _ => return None,
        },
    )
}

fn applied(ctx: &Ctx, data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryAppliedPlanRequest = request(data)?;
    let height = keeper::done_height(ctx, &req.name)?;
    let height = i64::try_from(height).unwrap_or(i64::MAX);
    Ok(QueryAppliedPlanResponse { height }.encode_to_vec())
}

fn versions(data: &[u8]) -> Result<Vec<u8>> {
    let req: QueryModuleVersionsRequest = request(data)?;
    let asked = &req.module_name;
    let module_versions: Vec<_> = VERSIONS
        .iter()
        .filter(|(name, _)| asked.is_empty() || name == asked)
        .map(|(name, version)| ModuleVersion {
            name: (*name).to_owned(),
            version: *version,
        })
        .collect();
    if module_versions.is_empty() {
        let log = format!(
            "x/upgrade: QueryModuleVersions module {asked} not found: module version not found"
        );
        return Err(AppError::new("upgrade", 2, log));
    }
    Ok(QueryModuleVersionsResponse { module_versions }.encode_to_vec())
}
