//! Every operator of a step: what it is, how often it runs, what it costs and why.

use vitruvian_cost::{Estimate, Refusal};
use vitruvian_model::{Operator, Step};
use vitruvian_quantity::Seconds;

use crate::exchange::split;
use crate::replica::{Meter, Replica};
use crate::schedule::schedule;
use crate::step::{captured, operator};

/// One line of an explanation: an operator of one rank, all pipeline stages together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskCost {
    /// Name in reports.
    pub name: &'static str,
    /// What is computed.
    pub operator: Operator,
    /// How often one micro-batch runs it.
    pub count: u32,
    /// What one run costs.
    pub estimate: Estimate,
}

impl TaskCost {
    /// Time of all runs.
    pub fn time(&self) -> Seconds {
        self.estimate.time * f64::from(self.count)
    }
}

/// The operators of a step in the order in which a rank meets them. Of a step that is cut in two those of a half, twice.
///
/// # Errors
/// The chip cannot do one of the operators, with the reason.
pub fn explain(replica: &Replica<'_>, step: &Step, meter: &mut Meter<'_>) -> Result<Vec<TaskCost>, Refusal> {
    let (part, times) = split(replica, step);
    let step = captured(replica, &part);
    let mut lines: Vec<TaskCost> = Vec::new();
    let mut list = Vec::new();
    for stage in 0..replica.layout.pp {
        list.clear();
        schedule(replica, meter.chip(), stage, &step, &mut list);
        for task in &list {
            match lines.iter_mut().find(|line| line.name == task.name && line.operator == task.operator) {
                Some(line) => line.count += task.count * times,
                None => lines.push(TaskCost {
                    name: task.name,
                    operator: task.operator,
                    count: task.count * times,
                    estimate: operator(replica, &task.operator, meter)?,
                }),
            }
        }
    }
    Ok(lines)
}
