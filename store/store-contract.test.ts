// The promises of a Store, held to each store in simulated time; test/kubernetes holds them to a real API server.
import { describeStore } from './testing/store-contract.ts';
import { STORE_PLACES } from './testing/store-places.ts';

for (const { name, make } of STORE_PLACES) describeStore(name, make);
