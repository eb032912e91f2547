// An OpenID provider for the tests: the npm package `oidc-provider` with its own pages for signing in, where any name
// and password are taken. Arguments: the folder of node_modules, a port, the client's secret, where people come back to.
import { pathToFileURL } from 'node:url';

const [modules, port, secret, redirect] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'tribune',
      client_secret: secret,
      redirect_uris: [redirect],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      require_auth_time: true,
    },
  ],
  cookies: { keys: ['for tests alone'] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
