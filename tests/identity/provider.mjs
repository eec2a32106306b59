// A real identity provider on loopback: `node provider.mjs PORT CALLBACK PEOPLE`.
// Whoever is named in the JSON file PEOPLE, login → groups, signs in with any password.
import { readFileSync } from 'node:fs'
import Provider from 'oidc-provider'

const [port, callback, people] = process.argv.slice(2)
const groups = (login) => JSON.parse(readFileSync(people))[login]

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'cairn',
    client_secret: 'of-the-test-alone',
    redirect_uris: [callback],
    post_logout_redirect_uris: [new URL('/signed-out', callback).href],
  }],
  cookies: { keys: ['of-the-test-alone'] },
  claims: { openid: ['sub'], groups: ['groups'], email: ['email'] },
  findAccount: (_, login) => groups(login) && {
    accountId: login,
    claims: () => ({ sub: login, groups: groups(login), email: `${login}@acme.example` }),
  },
  // Nobody is asked whether Cairn may know what it asks for.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    })
    grant.addOIDCScope('openid groups email')
    await grant.save()
    return grant
  },
})
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'))
