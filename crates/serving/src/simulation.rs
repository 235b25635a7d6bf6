//! The event loop: arrivals, steps, transfers.

mod account;
mod results;
mod transfers;

use vitruvian_cost::Refusal;
use vitruvian_diagnostics::Diagnostic;
use vitruvian_event::{EventQueue, Instant, Span, stream};

use crate::lane::{Book, Ended, Lane, Live, Phase};
use crate::observe::{Quiet, Watch};
use crate::outcome::{Outcome, State};
use crate::pipeline::Pipeline;
use crate::replica::Slot;
use crate::requests::{RequestId, Requests};
use crate::routing::LaneView;
use crate::scheduler::Policy;
use crate::service::{Limits, Role, Service};

/// Why a simulation came to no end.
#[derive(Clone, Debug, PartialEq)]
pub enum Halt {
    /// The chip cannot do an operator of a step.
    Refused(Refusal),
    /// The onlooker asked to stop.
    Stopped,
    /// A service without a pool that takes prompts, or with a pool without replicas.
    NoPool,
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Halt> for Diagnostic {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Refused(refusal) => Self::error("unsupported", refusal.to_string()),
            Halt::Stopped => Self::error("stopped", "the simulation was stopped before its end"),
            Halt::NoPool => Self::error("service", "a pool has no replicas, or no pool takes prompts"),
        }
    }
}

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A client of a closed loop sends its next request.
    Send(RequestId),
    /// A request leaves the front end.
    Ready(RequestId),
    /// The steps of a slot are done.
    Stepped { slot: u32, generation: u32 },
    /// A cache has arrived.
    Moved(RequestId),
}

/// Runs all requests through a service.
///
/// # Errors
/// The chip cannot do an operator; a service that cannot serve.
pub fn simulate(service: &mut Service<'_>, requests: &Requests) -> Result<Outcome, Halt> {
    simulate_watched(service, requests, &mut Quiet)
}

/// The same with someone looking on.
///
/// # Errors
/// As [`simulate`], and if the onlooker asks to stop.
pub fn simulate_watched<W: Watch>(
    service: &mut Service<'_>,
    requests: &Requests,
    watch: &mut W,
) -> Result<Outcome, Halt> {
    let entry = service.pools.iter().position(|pool| pool.role != Role::Decode).ok_or(Halt::NoPool)?;
    if service.pools.iter().any(|pool| pool.replicas == 0 || pool.groups == 0 || pool.stages == 0) {
        return Err(Halt::NoPool);
    }
    let mut simulation = Simulation::new(service, requests, entry, watch);
    simulation.run()?;
    Ok(simulation.finish())
}

struct Simulation<'s, 'a, 'r, 'w, W> {
    service: &'s mut Service<'a>,
    watch: &'w mut W,
    lanes: Vec<Lane>,
    /// The slot of each lane.
    homes: Vec<u32>,
    slots: Vec<Slot>,
    /// One a replica.
    pipelines: Vec<Pipeline>,
    queue: EventQueue<Event>,
    book: Book<'r>,
    outcome: Outcome,
    ended: Ended,
    /// Requests that wait and run in each slot.
    counted: Vec<[u32; 2]>,
    /// Requests that have been sent.
    sent: usize,
    /// The pool that takes prompts.
    entry: usize,
    /// Lanes of each pool.
    ranges: Vec<std::ops::Range<usize>>,
    views: Vec<LaneView>,
    turns: Vec<u64>,
    present: Gauge,
    waiting: Gauge,
    running: Gauge,
    finished: usize,
    entering: usize,
    moving: usize,
    /// When the front ends have taken every request that came.
    taken: Instant,
    now: Instant,
}

/// A number that holds between events; its integral over time.
#[derive(Clone, Copy, Debug, Default)]
struct Gauge {
    value: u32,
    since: Instant,
    integral: f64,
}

impl<'s, 'a, 'r, 'w, W: Watch> Simulation<'s, 'a, 'r, 'w, W> {
    fn new(service: &'s mut Service<'a>, requests: &'r Requests, entry: usize, watch: &'w mut W) -> Self {
        let (mut lanes, mut homes, mut slots, mut pipelines, mut ranges) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, pool) in service.pools.iter().enumerate() {
            let first = lanes.len();
            for number in 0..pool.replicas {
                let start = lanes.len();
                for place in 0..pool.groups * pool.stages {
                    homes.push(slots.len() as u32 + place / pool.groups);
                    let (speculation, ratio) = (pool.speculation.clone(), pool.policy.first_ratio());
                    // MindIE never preempts: it reserves.
                    let reserve = pool.limits.reserve || matches!(pool.policy, Policy::MindIe(_));
                    let limits = Limits { reserve, ..pool.limits };
                    lanes.push(Lane::new(
                        lanes.len() as u32,
                        limits,
                        pool.role,
                        speculation,
                        ratio,
                        requests,
                    ));
                }
                let (numbers, degrees) =
                    ([index, pipelines.len(), number as usize], (pool.groups, pool.stages));
                slots.extend(
                    (0..pool.stages).map(|slot| Slot::new(numbers, (slot, start), degrees, pool.policy)),
                );
                pipelines.push(Pipeline::new(pool.stages));
            }
            ranges.push(first..lanes.len());
        }
        let count = requests.len();
        let counted = vec![[0; 2]; slots.len()];
        let book = Book {
            requests,
            live: vec![Live::default(); count],
            preemptions: vec![0; count],
            cached: vec![0; count],
            started: Vec::new(),
            draws: stream(service.seed, "speculation"),
        };
        let pools = service.pools.len();
        Self {
            service,
            watch,
            lanes,
            homes,
            slots,
            pipelines,
            queue: EventQueue::new(),
            book,
            outcome: Outcome::new(count, pools),
            ended: Ended::default(),
            counted,
            sent: 0,
            entry,
            ranges,
            views: Vec::new(),
            turns: vec![0; pools],
            present: Gauge::default(),
            waiting: Gauge::default(),
            running: Gauge::default(),
            finished: 0,
            entering: 0,
            moving: 0,
            taken: Instant::ZERO,
            now: Instant::ZERO,
        }
    }

    fn run(&mut self) -> Result<(), Halt> {
        let closed = self.book.requests.clients > 0;
        if closed {
            (0..self.book.requests.clients).for_each(|_| self.send_next(Instant::ZERO));
        }
        loop {
            let arrival = if closed { None } else { self.book.requests.arrivals.get(self.sent).copied() };
            let event = self.queue.next_time();
            match (arrival, event) {
                (None, None) => return Ok(()),
                (Some(at), next) if next.is_none_or(|next| at <= next) => {
                    self.move_to(at);
                    self.queue.advance(at);
                    let id = RequestId(self.sent as u32);
                    self.sent += 1;
                    self.arrive(id);
                }
                _ => {
                    if let Some((at, event)) = self.queue.pop() {
                        self.move_to(at);
                        self.handle(event)?;
                    }
                }
            }
            if W::CENSUS {
                let census = self.census();
                self.watch.census(self.now, &census);
            }
        }
    }

    fn move_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    fn handle(&mut self, event: Event) -> Result<(), Halt> {
        match event {
            Event::Send(id) => self.arrive(id),
            Event::Ready(id) => self.enter(id)?,
            Event::Stepped { slot, generation } => {
                if self.slots[slot as usize].generation == generation {
                    self.stepped(slot as usize)?;
                }
            }
            Event::Moved(id) => self.moved(id)?,
        }
        Ok(())
    }

    /// The next client's request; nothing if all are sent.
    fn send_next(&mut self, at: Instant) {
        if self.sent < self.book.requests.len() {
            let id = RequestId(self.sent as u32);
            self.sent += 1;
            let first = self.book.requests.arrivals.get(id.index()).copied().unwrap_or(Instant::ZERO);
            self.queue.push(if at == Instant::ZERO { first } else { at }, Event::Send(id));
        }
    }

    /// A request comes to the front end.
    fn arrive(&mut self, id: RequestId) {
        self.outcome.arrivals[id.index()] = self.now;
        self.gauge(|s| &mut s.present, 1, None);
        self.entering += 1;
        let front = self.service.front;
        // Every replica has a front end of its own, and its share of what is in flight and of what is taken in turn.
        let replicas = f64::from(self.service.pools[self.entry].replicas);
        let delay = front.alone + front.each * f64::from(self.present.value) / replicas;
        self.taken = self.taken.max(self.now) + Span::from_seconds(front.serial / replicas);
        self.queue.push(self.taken + Span::from_seconds(delay), Event::Ready(id));
    }

    /// A request leaves the front end for a lane.
    fn enter(&mut self, id: RequestId) -> Result<(), Halt> {
        self.entering -= 1;
        if !self.fits(id) {
            self.outcome.states[id.index()] = State::Rejected;
            self.book.live(id).phase = Phase::Done;
            self.gauge(|s| &mut s.present, -1, None);
            self.finished += 1;
            if self.book.requests.clients > 0 {
                self.send_next(self.now);
            }
            return Ok(());
        }
        let lane = self.route(id, self.entry);
        self.lanes[lane].enqueue(id, &mut self.book, false);
        self.recount(self.homes[lane] as usize);
        self.wake(lane)
    }

    /// Whether every pool could serve the request if it were alone.
    fn fits(&self, id: RequestId) -> bool {
        let whole = u64::from(self.book.input(id)) + u64::from(self.book.output(id));
        let lane_fits = |range: &std::ops::Range<usize>| {
            let kv = &self.lanes[range.start].kv;
            u32::try_from(whole).is_ok_and(|whole| kv.blocks_of(whole) <= kv.capacity())
        };
        self.book.input(id) > 0
            && whole <= u64::from(self.service.context)
            && self.ranges.iter().all(lane_fits)
    }

    /// The lane of a pool that takes a request.
    fn route(&mut self, id: RequestId, pool: usize) -> usize {
        let range = self.ranges[pool].clone();
        if range.len() == 1 {
            return range.start;
        }
        let routing = self.service.routing;
        self.book.live(id).target = self.book.input(id);
        self.views.clear();
        for lane in &self.lanes[range.clone()] {
            let cached = if routing.looks_at_caches() { lane.hit(id, &self.book).tokens } else { 0 };
            let requests =
                lane.running.len() + lane.waiting.len() + lane.incoming.len() + lane.expected as usize;
            let tokens = lane.waiting_tokens + lane.context;
            self.views.push(LaneView { requests: requests as u32, tokens, cached });
        }
        self.turns[pool] += 1;
        range.start + routing.choose(&self.views, self.turns[pool] - 1)
    }

    /// Something changed on a lane: its slot plans anew, now or after the step under way.
    fn wake(&mut self, lane: usize) -> Result<(), Halt> {
        let index = self.homes[lane] as usize;
        if self.slots[index].run.is_none() {
            return self.start(index);
        }
        let slot = &mut self.slots[index];
        if let Some(end) = slot.cut(self.now, &mut self.lanes) {
            let generation = slot.generation;
            self.queue.push(end, Event::Stepped { slot: index as u32, generation });
        }
        Ok(())
    }

    fn start(&mut self, index: usize) -> Result<(), Halt> {
        let slot = &mut self.slots[index];
        let pipeline = &mut self.pipelines[slot.pipeline];
        let times = &mut *self.service.pools[slot.pool].times;
        let Some(run) = slot.start(self.now, pipeline, &mut self.lanes, times, &mut self.book)? else {
            return Ok(());
        };
        let generation = slot.generation;
        let end = run.end();
        self.queue.push(end, Event::Stepped { slot: index as u32, generation });
        if W::STEPS {
            self.show(index, &run, end);
        }
        let started = std::mem::take(&mut self.book.started);
        started.iter().for_each(|id| self.outcome.starts[id.index()] = self.now);
        self.book.started = started;
        self.book.started.clear();
        self.recount(index);
        Ok(())
    }

    /// The steps of a slot are done.
    fn stepped(&mut self, index: usize) -> Result<(), Halt> {
        let slot = &mut self.slots[index];
        let Some(run) = slot.run.take() else { return Ok(()) };
        let (range, policy) = (slot.lanes.clone(), slot.policy);
        self.count(&run, index);
        for lane in &mut self.lanes[range.clone()] {
            policy.done(lane, run.steps);
            lane.commit(run.steps, &mut self.book, &mut self.ended);
        }
        self.settle(index)?;
        for lane in range {
            self.pull(lane);
        }
        self.start(index)?;
        // A run that does not start leaves its queue as it is.
        self.recount(index);
        Ok(())
    }

    fn finish(mut self) -> Outcome {
        self.outcome.end = self.now;
        self.outcome.cached = self.book.cached;
        self.outcome.preemptions = self.book.preemptions;
        self.outcome.waiting = self.waiting.integral;
        self.outcome.present = self.present.integral;
        self.outcome
    }
}
