# The simulator with a bug put back into one source file of the product (common/mutant.h). Each has to
# break an invariant within 500 seeds, which the simulator without it holds for all of them. The rest
# comes from the ordinary libraries, so that a mutant costs one compilation: a program's own objects
# come before those of the libraries that it is linked with.
function(ec_mutant number source)
  set(name ec_sim_mutant_${number})
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${source} $<TARGET_OBJECTS:ec_sim_main>)
  target_compile_definitions(${name} PRIVATE EC_MUTANT=${number})
  target_link_libraries(${name} PRIVATE ec_sim_world ec_warnings)
  add_test(NAME sim_mutant_${number} COMMAND ${name} --count 500 --until-broken)
  set_tests_properties(sim_mutant_${number} PROPERTIES LABELS sim TIMEOUT 120)
endfunction()

# A leader's proof of an earlier epoch is taken for one of the present: of a replica that has left
# and come back since, for instance.
ec_mutant(1 controlplane/core/group_lifecycle.cc)
# Whoever is available may lead, whether or not it has proved to have everything.
ec_mutant(2 controlplane/core/failover.cc)
# A leader that has died is started again in place, empty, and its followers are emptied, too.
ec_mutant(3 nodeagent/core/host_machine.cc)
# A caller is told yes before the commit, which may yet be refused.
ec_mutant(4 controlplane/server/controller.cc)
# A control plane that has just started, or stood still, takes hosts for silent at once.
ec_mutant(7 controlplane/core/placement.cc)
# A process is known by its number alone, and those are used again.
ec_mutant(8 controlplane/core/fencing.cc)
# A planned change does not wait until the successor has everything.
ec_mutant(12 controlplane/core/switchover.cc)
# A planned change compares offsets while writes still go on.
ec_mutant(13 controlplane/core/switchover.cc)
# The same recovery is told of again and again.
ec_mutant(14 controlplane/core/member_lifecycle.cc)
# A proof is kept over a change of leader.
ec_mutant(15 controlplane/core/failover.cc)
# A proof is taken that was given before it was asked for.
ec_mutant(16 controlplane/core/group_lifecycle.cc)
# A silent host's engine counts as ended.
ec_mutant(17 controlplane/core/fencing.cc)
# An endpoint passes connections on before its target has been seen to lead: the check that stands
# for the relay's look at a lease in a design with leases.
ec_mutant(18 nodeagent/core/host_machine.cc)
# A follower that has died and come back empty is still taken for one that has everything.
ec_mutant(19 controlplane/core/member_lifecycle.cc)
# Of those that could lead, the one that has the least does.
ec_mutant(20 controlplane/core/failover.cc)
