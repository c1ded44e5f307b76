"""All mutations. Each protects an invariant of the architecture, a guard or both."""

from tests.mutations import (
    of_actions,
    of_controller,
    of_execution,
    of_forecasts,
    of_guards,
    of_history,
    of_listings,
    of_locks,
    of_order,
    of_pages,
    of_planner,
    of_saved_plans,
    of_specs,
    of_specs_in_force,
    of_transcripts,
    of_trust,
)
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *of_guards.MUTATIONS,
    *of_planner.MUTATIONS,
    *of_history.MUTATIONS,
    *of_order.MUTATIONS,
    *of_transcripts.MUTATIONS,
    *of_listings.MUTATIONS,
    *of_actions.MUTATIONS,
    *of_execution.MUTATIONS,
    *of_locks.MUTATIONS,
    *of_specs.MUTATIONS,
    *of_specs_in_force.MUTATIONS,
    *of_controller.MUTATIONS,
    *of_saved_plans.MUTATIONS,
    *of_trust.MUTATIONS,
    *of_pages.MUTATIONS,
    *of_forecasts.MUTATIONS,
)
