// Numbers of netlink and rtnetlink (linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h, neighbour.h, fib_rules.h).

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;

export const nlmsg = { error: 2, done: 3, overrun: 4 } as const;
export const nlmFlag = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  echo: 0x8,
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** in an acknowledgement: the request is not repeated whole */
  capped: 0x100,
  /** in an acknowledgement: attributes follow */
  ackAttributes: 0x200,
} as const;

export const rtm = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  deleteNeighbour: 29,
  getNeighbour: 30,
  newRule: 32,
  deleteRule: 33,
  getRule: 34,
} as const;

/** Multicast groups (RTNLGRP_*), as bits of sockaddr_nl.nl_groups. */
export const groupBit = {
  link: 1 << 0,
  neighbour: 1 << 2,
  ipv4Address: 1 << 4,
  ipv4Route: 1 << 6,
  ipv4Rule: 1 << 7,
  ipv6Address: 1 << 8,
  ipv6Route: 1 << 10,
  ipv6Rule: 1 << 18,
} as const;

export const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  linkInfo: 18,
  afSpec: 26,
  group: 27,
  netnsFd: 28,
  extMask: 29,
  linkNetnsId: 37,
} as const;
export const iflaInfo = { kind: 1, data: 2 } as const;
/** RTEXT_FILTER_SKIP_STATS: no counters in link dumps */
export const SKIP_STATS = 1 << 3;
export const VETH_INFO_PEER = 1;
export const iff = { up: 0x1, loopback: 0x8, lowerUp: 0x10000 } as const;
/** IFLA_INET_CONF inside IFLA_AF_SPEC / AF_INET, and the switches in it */
export const IFLA_INET_CONF = 1;
export const inetConf = { forwarding: 1, proxyArp: 3, rpFilter: 8 } as const;

export const ifa = { address: 1, local: 2, flags: 8 } as const;
export const ifaFlag = {
  noDad: 0x2,
  dadFailed: 0x8,
  tentative: 0x40,
  permanent: 0x80,
  noPrefixRoute: 0x200,
} as const;

export const rta = {
  destination: 1,
  oif: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  multipath: 9,
  table: 15,
  via: 18,
} as const;
export const RTAX_MTU = 2;
export const RTNH_F_ONLINK = 4;

export const nda = { destination: 1, linkLayerAddress: 2 } as const;
export const NUD_PERMANENT = 0x80;

export const fra = {
  destination: 1,
  source: 2,
  inputName: 3,
  priority: 6,
  fwMark: 10,
  table: 15,
  fwMask: 16,
  outputName: 17,
  protocol: 21,
} as const;

export const nlmsgerr = { message: 1, offset: 2, missingType: 5 } as const;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are not part of an attribute's type. */
export const NLA_TYPE_MASK = 0x3fff;
