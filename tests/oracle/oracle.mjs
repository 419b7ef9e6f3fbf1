/**
 * What an independent implementation says: a case per line on standard input, an answer per line.
 *
 * A case: {"bundle": the flat form, "action", "resource", "context"}; documents are objects.
 * An answer: {"verdict", "denies": [["identity", policy, statement], …]} or {"error"}.
 * The set of denies is asked for one statement at a time, beside an Allow for everything: the
 * simulation that takes any condition key answers with its verdict alone.
 *
 * `node oracle.mjs bench ROUNDS` reads all cases first and answers with times, see bench/bench_iam.py.
 */

import { createInterface } from 'node:readline';
import process from 'node:process';
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate';

const ACCOUNT = '123456789012';
const EVERYTHING = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }]
};
const WORDS = {
  Allowed: 'allowed',
  ExplicitlyDenied: 'explicitly-denied',
  ImplicitlyDenied: 'implicitly-denied'
};

const named = documents =>
  documents.map((policy, number) => ({ name: `p${number}`, policy }));

function simulation({ bundle, action, resource, context }) {
  return {
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:role/data-scientist`,
      action,
      resource: { resource, accountId: ACCOUNT },
      contextVariables: context
    },
    identityPolicies: named(bundle.identity ?? []),
    permissionBoundaryPolicies: bundle.boundary
      ? named(bundle.boundary)
      : undefined,
    // A session policy is one more layer that must allow; the simulation without validation
    // does not look at its own field for it.
    serviceControlPolicies: [
      ...(bundle.scps ?? []),
      ...(bundle.session ? [bundle.session] : [])
    ].map((level, number) => ({
      orgIdentifier: `level-${number}`,
      policies: named(level)
    })),
    resourceControlPolicies: []
  };
}

const verdict = request =>
  WORDS[runUnsafeSimulation(simulation(request), {})];

function statements(document) {
  return Array.isArray(document.Statement)
    ? document.Statement
    : [document.Statement];
}

/** The Deny statements that match, each asked for alone. */
function denies(request) {
  const { bundle } = request;
  const layers = [
    ['identity', bundle.identity ?? []],
    ['boundary', bundle.boundary ?? []],
    ['session', bundle.session ?? []],
    ...(bundle.scps ?? []).map((level, number) => [`scp:${number}`, level])
  ];
  const found = [];
  for (const [layer, documents] of layers) {
    documents.forEach((document, policy) => {
      statements(document).forEach((statement, index) => {
        if (statement.Effect === 'Deny') {
          const alone = { ...document, Statement: [statement] };
          const asked = { ...request, bundle: { identity: [EVERYTHING, alone] } };
          if (verdict(asked) === 'explicitly-denied') {
            found.push([layer, policy, index]);
          }
        }
      });
    });
  }
  return found;
}

function answer(request) {
  try {
    return { verdict: verdict(request), denies: denies(request) };
  } catch (error) {
    return { error: String(error) };
  }
}

async function lines(each) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim()) {
      await each(JSON.parse(line));
    }
  }
}

async function bench(rounds) {
  const cases = [];
  await lines(request => cases.push(simulation(request)));
  const ways = {
    raw: request => runUnsafeSimulation(request, {}),
    validated: request => runSimulation(request, {})
  };
  // Only answers are timed: a case that validation refuses leaves the validated form out.
  const answers = await Promise.all(cases.map(ways.validated));
  if (answers.some(({ resultType }) => resultType === 'error')) {
    delete ways.validated;
  }
  const times = Object.fromEntries(Object.keys(ways).map(way => [way, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const start = process.hrtime.bigint();
      for (const request of cases) {
        await run(request);
      }
      const took = Number(process.hrtime.bigint() - start) / 1e3 / cases.length;
      if (round > 0) {
        times[way].push(took); // the first round compiles
      }
    }
  }
  console.log(JSON.stringify({ node: process.versions.node, us: times }));
}

if (process.argv[2] === 'bench') {
  await bench(Number(process.argv[3]));
} else {
  await lines(request => console.log(JSON.stringify(answer(request))));
}
