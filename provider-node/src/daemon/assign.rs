//! Which local device serves which lease.

use crate::compute::DeviceInfo;
use ember_types::{ids::LeaseId, lease::LeaseState, market::LeaseResponse, resources::Device};
use std::collections::{BTreeMap, BTreeSet};

/// A device that is here and registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Its number on this machine.
    pub index: u32,
    /// As the registry has it.
    pub device: Device,
}

/// The name of a local device in the registry.
pub fn device_id(index: u32) -> String {
    format!("gpu-{index}")
}

/// Registered devices that are here as registered, and the names of those that are not.
pub fn match_devices(registered: &[Device], found: &[DeviceInfo]) -> (Vec<Local>, Vec<String>) {
    let (mut here, mut missing) = (Vec::new(), Vec::new());
    for d in registered {
        let same = |f: &&DeviceInfo| device_id(f.index) == d.id && f.model == d.model;
        match found.iter().find(same) {
            Some(f) => here.push(Local {
                index: f.index,
                device: d.clone(),
            }),
            None => missing.push(d.id.clone()),
        }
    }
    (here, missing)
}

/// Devices of leases. A lease keeps its devices while it lives; after a restart they are dealt anew, oldest lease first.
#[derive(Debug, Default)]
pub struct Assignment(BTreeMap<LeaseId, Vec<u32>>);

impl Assignment {
    /// Forgets leases that are over and deals devices to new ones. A lease that got none is not in the answer.
    pub fn update(
        &mut self,
        leases: &[LeaseResponse],
        local: &[Local],
    ) -> &BTreeMap<LeaseId, Vec<u32>> {
        let mut live: Vec<_> = leases
            .iter()
            .filter(|l| l.state != LeaseState::Closed)
            .collect();
        live.sort_by_key(|l| l.id);
        self.0.retain(|id, _| live.iter().any(|l| l.id == *id));
        for lease in live {
            if self.0.contains_key(&lease.id) {
                continue;
            }
            let taken: BTreeSet<u32> = self.0.values().flatten().copied().collect();
            let units = lease.resources.units as usize;
            let free: Vec<u32> = local
                .iter()
                .filter(|d| !taken.contains(&d.index) && lease.resources.gpu.matches(&d.device))
                .map(|d| d.index)
                .take(units)
                .collect();
            if free.len() == units {
                self.0.insert(lease.id, free);
            }
        }
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::decide::tests::{devices, lease};

    fn local(n: usize) -> Vec<Local> {
        let with_index = |(i, device)| Local {
            index: i as u32,
            device,
        };
        devices(n).into_iter().enumerate().map(with_index).collect()
    }

    #[test]
    fn a_lease_keeps_its_device_and_no_device_serves_two() {
        let mut a = Assignment::default();
        let got = a.update(&[lease(1, 1), lease(2, 1), lease(3, 1)], &local(2));
        assert_eq!(*got, [(LeaseId(1), vec![0]), (LeaseId(2), vec![1])].into());
        let got = a.update(&[lease(2, 1), lease(3, 1)], &local(2));
        assert_eq!(
            *got,
            [(LeaseId(2), vec![1]), (LeaseId(3), vec![0])].into(),
            "lease 2 stays where it is"
        );
        let mut closed = lease(2, 1);
        closed.state = LeaseState::Closed;
        assert!(a.update(&[closed], &local(2)).is_empty());
    }
}
